# How a result becomes an answer: a str as it is, everything else as a JSON value.

from _collections_abc import Iterator, Mapping, MappingView, Sequence, Set

LOOP = []


def escaped(text):
    if b"\\" in text or b"\n" in text:
        text = text.replace(b"\\", b"\\s").replace(b"\n", b"\\n")
    return text


def answer_line(kind, text):
    return kind + escaped(text.encode("utf-8", "backslashreplace")) + b"\n"


def answer(result):
    kind = type(result)
    if kind is int:
        return b"v" + int.__repr__(result).encode() + b"\n"
    if kind is str:
        return b"s" + escaped(result.encode("utf-8", "surrogateescape")) + b"\n"
    if kind is bool:
        return b"vtrue\n" if result else b"vfalse\n"
    if kind is float and result - result == 0:
        return b"v" + repr(result).encode() + b"\n"
    if isinstance(result, (bytes, bytearray)):
        return b"s" + escaped(bytes(result)) + b"\n"
    if hasattr(kind, "__await__"):
        return answer(finished(result))
    if hasattr(kind, "__aiter__"):
        return answer(finished(collected(result)))
    plain = to_plain(result)
    if type(plain) is str:
        return b"s" + escaped(plain.encode("utf-8", "surrogateescape")) + b"\n"
    return answer_line(b"v", to_json(plain))


def finished(awaitable):
    """The result of a coroutine. All run in the same event loop, except a future, which has one."""
    if hasattr(awaitable, "get_loop"):
        return awaitable.get_loop().run_until_complete(awaitable)
    if not LOOP:
        LOOP.append(library("asyncio").new_event_loop())

    async def waiting():
        return await awaitable

    return LOOP[0].run_until_complete(waiting())


async def collected(generator):
    return [value async for value in generator]


def to_json(plain):
    return library("json").dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_plain(value):
    """The value in types of JSON. Numbers that JSON lacks become `nan`, `inf`, `-inf`."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if isinstance(value, float):
        number = float(value)
        return number if number - number == 0 else repr(number)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    fields = named_fields(value)
    if fields is not None:
        return {name: to_plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {to_key(key): to_plain(value[key]) for key in value}
    if isinstance(value, (Sequence, MappingView, Iterator)):
        return [to_plain(one) for one in value]
    if isinstance(value, Set):
        return in_order([to_plain(one) for one in value])
    return of_library(value)


def named_fields(value):
    """The names of the fields of a dataclass's object or a namedtuple."""
    kind = type(value)
    if isinstance(value, tuple):
        return getattr(kind, "_fields", None)
    if hasattr(kind, "__dataclass_fields__"):
        return [field.name for field in library("dataclasses").fields(kind)]
    return None


def to_key(key):
    plain = to_plain(key)
    return plain if isinstance(plain, str) else to_json(plain)


def in_order(plain):
    """Sorted: the order in a set differs between processes."""
    try:
        return sorted(plain)
    except TypeError:
        return sorted(plain, key=to_json)


def of_library(value):
    """An array whole, a DataFrame as records, other objects as their text."""
    kind = type(value)
    if hasattr(kind, "tolist"):
        number_kind = getattr(getattr(value, "dtype", None), "kind", "")
        if number_kind in ("m", "M"):
            # Dates, of which `tolist` makes numbers.
            value = value.astype(str)
        items = value.tolist()
        if type(items) is not kind:
            return to_plain(items)
        if number_kind == "f":
            # A number with more digits than a Python float.
            return to_plain(float(items))
    if kind.__name__ == "DataFrame" and hasattr(kind, "to_dict"):
        return to_plain(value.to_dict(orient="records"))
    text = str(value)
    is_bare = " at 0x" in text or " object" in text or callable(value) or isinstance(value, type(sys))
    if text.startswith("<") and text.endswith(">") and is_bare:
        message = "the result is of type %s, which has no text of its own: return a str, a number, a list, a dict or a dataclass"
        raise ItemRefused(b"f", message % kind.__qualname__)
    return text
