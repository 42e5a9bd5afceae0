# How the text of an item, or a JSON value, becomes an argument of the function.

# What is called once, when `number_or_text` finds a text.
AT_NEXT_TEXT = []


class ItemRefused(Exception):
    """Why an item has no result. `kind` is the first byte of its answer."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def decoded(data):
    return data.decode("utf-8", "surrogateescape")


def number_or_text(data):
    """An int or a float if the bytes are plainly written as one, else a str.

    White space around a number is allowed. A leading zero or `+` (a postcode, an
    identifier, a telephone number), `_`, `nan`, `inf`, and an exponent without a
    sign or a point (`12e3`) make it text.
    """
    try:
        if data.isdigit() and (data[0] != 48 or len(data) == 1):
            return int(data)
        plain = data.strip()
        digits = plain[1:] if plain[:1] == b"-" else plain
        is_padded = digits[:1] == b"0" and digits[1:2].isdigit()
        if digits[:1] != b"+" and not is_padded and not digits.translate(None, b"0123456789.eE+-"):
            if digits.isdigit():
                return int(plain)
            if b"." in digits or b"-" in digits or b"+" in digits:
                number = float(plain)
                if number - number == 0:
                    return number
    except ValueError:
        pass
    if AT_NEXT_TEXT:
        AT_NEXT_TEXT.pop()()
    return decoded(data)


def whole(text):
    """An int; `7.0` is one, too, as spreadsheets write it."""
    try:
        return int(text)
    except ValueError:
        head, point, zeros = text.strip().partition(".")
        if point and not zeros.strip("0"):
            return int(head)
        raise


def truth(text):
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    word = text.strip().lower()
    if word not in known:
        raise ValueError
    return known[word]


def raw(text):
    return text.encode("utf-8", "surrogateescape")


def json_or_text(text):
    """The value of `--arg`."""

    def refuse(_):
        raise ValueError("no JSON: NaN and Infinity")

    try:
        return library("json").loads(text, parse_constant=refuse)
    except ValueError:
        return text


class Untyped:
    """Reads values without a type: numbers as numbers, JSON values as they are."""

    source = ""
    of_data = staticmethod(number_or_text)

    def of_text(self, text):
        return number_or_text(raw(text))

    def of_json(self, value):
        return value


class Typed:
    """Reads values of one type. `read` makes one of a text, or raises ValueError."""

    def __init__(self, name, read, source, takes_none=False):
        self.name, self.read, self.source, self.takes_none = name, read, source, takes_none

    def of_data(self, data):
        return self.of_text(decoded(data))

    def of_text(self, text):
        if self.takes_none and not text.strip():
            return None
        try:
            return self.read(text)
        except (ValueError, ArithmeticError):
            shown = repr(text) if len(text) <= 80 else repr(text[:80]) + "…"
            raise ItemRefused(b"i", "%s is not of type %s (%s)" % (shown, self.name, self.source)) from None

    def of_json(self, value):
        if value is None:
            if self.takes_none:
                return None
            raise ItemRefused(b"i", "null is not of type %s (%s)" % (self.name, self.source))
        return self.of_text(value if isinstance(value, str) else to_json(value))

    def constant(self, text):
        value = json_or_text(text)
        return self.of_json(value) if value is None or isinstance(value, str) else self.of_text(text)


class JsonText(Typed):
    """Reads texts that are JSON values."""

    def of_json(self, value):
        return value


def reader_of_type(name):
    """The reader for `--param type=NAME`."""
    source = "--param type=" + name
    if name == "auto":
        return Untyped()
    if name == "json":
        return JsonText("json", library("json").loads, source)
    return Typed(name, {"str": str, "int": whole, "float": float}[name], source)


def known_type(annotation):
    """The function that makes a value of this type of a text; None if it is not known."""
    plain = {str: str, int: whole, float: float, bool: truth, bytes: raw, complex: complex}
    if not isinstance(annotation, type):
        return None
    if annotation in plain:
        return plain[annotation]
    home = annotation.__module__.partition(".")[0]
    if home == "pathlib":
        return annotation
    if (home, annotation.__name__) in (("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID")):
        return lambda text: annotation(text.strip())
    if home == "datetime" and hasattr(annotation, "fromisoformat"):
        return lambda text: annotation.fromisoformat(text.strip())
    return None


def members(annotation):
    """The members of a union of types; otherwise only itself."""
    while hasattr(annotation, "__metadata__") or hasattr(annotation, "__supertype__"):
        # typing.Annotated and typing.NewType
        annotation = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation.__supertype__
    is_union = type(annotation).__name__ in ("UnionType", "Union") or (
        str(getattr(annotation, "__origin__", None)) == "typing.Union"
    )
    return list(annotation.__args__) if is_union else [annotation]


def reader_of_annotation(annotation, source):
    """The reader for an annotation; None if it is not of a known type."""
    kinds = members(annotation)
    takes_none = len(kinds) > 1 and type(None) in kinds
    kinds = [kind for kind in kinds if kind is not type(None)]
    # What every text is comes last.
    order = {int: 0, float: 1, bool: 3, bytes: 4, str: 5}
    kinds.sort(key=lambda kind: order.get(kind, 2) if isinstance(kind, type) else 2)
    reads = [known_type(kind) for kind in kinds]
    if not reads or None in reads:
        return None

    def read(text):
        for attempt in reads[:-1]:
            try:
                return attempt(text)
            except (ValueError, ArithmeticError):
                pass
        return reads[-1](text)

    name = " or ".join(kind.__name__ for kind in kinds)
    return Typed(name, read if len(reads) > 1 else reads[0], source, takes_none and str not in kinds)
