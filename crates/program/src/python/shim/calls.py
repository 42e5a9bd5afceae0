# How an item or the fields of a record are given to the parameters of the function.

class Unfit(Exception):
    """Why the function can't be called at all."""


class Call:
    """The parameters of a function, besides its constants, and how they are read."""

    def __init__(self, function, name, options):
        self.name, self.untyped = name, reader_of_type(options["type"])
        self.space, found = namespace(function), parameters(function)
        self.all, self.is_known = found or [], found is not None
        self.more = next((one for one in self.all if one.kind is MORE_IN_ORDER), None)
        self.others = next((one for one in self.all if one.kind is MORE_BY_NAME), None)
        constants = self.constants(options["constants"])
        self.function = library("functools").partial(function, **constants) if constants else function
        free = [one for one in self.all if one.name not in constants]
        self.ordered = [one for one in free if one.kind in (ONLY_IN_ORDER, EITHER_WAY)]
        self.named = [one for one in free if one.kind is ONLY_BY_NAME]
        # What stands behind a constant can't be given by its position.
        self.by_name = any(one.kind is EITHER_WAY and one.name in constants for one in self.all)
        self.takes_more = not self.by_name and (self.more is not None or not self.is_known)
        self.is_single = (
            len(self.ordered) == 1 and not self.takes_more and not any(one.is_needed() for one in self.named)
        )

    def constants(self, given):
        """The values of `--arg`."""
        constants = {}
        for key, text in given:
            found = [one for one in self.all if one.name == key and one.kind in (EITHER_WAY, ONLY_BY_NAME)]
            if not found and self.is_known and self.others is None:
                how = " only by position" if any(one.name == key for one in self.all) else ""
                raise Unfit("--arg %s=%s: %s takes %s%s" % (key, text, self.name, self.signature(), how))
            reader = self.annotated(found[0]) if found else None
            try:
                constants[key] = reader.constant(text) if reader else json_or_text(text)
            except ItemRefused as error:
                raise Unfit("--arg %s=%s: %s" % (key, text, error)) from None
        return constants

    def signature(self):
        """The parameters as a list for the user."""
        return ", ".join(one.listed() for one in self.all) or "no arguments"

    def resolved(self, parameter):
        """The annotation, also if it is written as a string."""
        annotation = parameter.annotation
        if isinstance(annotation, str):
            try:
                return eval(annotation, self.space, {})
            except Exception:
                return NO_VALUE
        return annotation

    def annotated(self, parameter):
        """The reader for the annotation of a parameter; None without a known one."""
        return reader_of_annotation(self.resolved(parameter), parameter.typed())

    def reader(self, parameter):
        return parameter and self.annotated(parameter) or self.untyped

    def of_item(self):
        """The function of one value, and its reader."""
        free = self.ordered or sorted(self.named, key=Parameter.is_needed, reverse=True)
        one = None if self.takes_more and not self.ordered else next(iter(free), None)
        needed = [other.name for other in self.ordered + self.named if other is not one and other.is_needed()]
        if one is None and not self.takes_more or needed:
            advice = "%s takes %s, and an item is one argument" % (self.name, self.signature())
            if needed:
                arg = " ".join("--arg %s=VALUE" % name for name in needed)
                advice += ": give constants by %s, or the fields of records by --items csv" % arg
            raise Unfit(advice)
        function = self.function
        if one is not None and (one.kind is ONLY_BY_NAME or self.by_name and one.kind is EITHER_WAY):
            return lambda value: function(**{one.name: value}), self.reader(one)
        return function, self.reader(one or self.more)

    def of_names(self, names):
        """The readers of the parameters of these names; None if they do not fit."""
        able = {one.name: one for one in self.ordered + self.named if one.kind is not ONLY_IN_ORDER}
        needed = {one.name for one in self.ordered + self.named if one.is_needed()}
        has_each = self.others is not None or all(name in able for name in names)
        if not names or not has_each or not needed.issubset(names) or len(set(names)) < len(names):
            return None
        return [(name, self.reader(able.get(name, self.others))) for name in names]

    def of_count(self, count):
        """The readers of so many fields in order, with their names; None if they do not fit."""
        given = self.ordered[:count]
        needed = [one for one in self.ordered[count:] + self.named if one.is_needed()]
        if needed or count > len(self.ordered) and not self.takes_more:
            return None
        more = [(None, self.reader(self.more))] * (count - len(given))
        by_name = lambda one: one.name if self.by_name and one.kind is EITHER_WAY else None
        return [(by_name(one), self.reader(one)) for one in given] + more

    def only(self, read):
        """A function that makes the arguments of the only value, which is read so."""
        one = self.ordered[0]
        if self.by_name and one.kind is EITHER_WAY:
            return lambda values: ((), {one.name: read(values)})
        return lambda values: ((read(values),), {})

    def mismatch(self, what):
        return "%s, and %s takes %s" % (what, self.name, self.signature())


def counted(count):
    return "%d field%s" % (count, "" if count == 1 else "s")


def spread(readers, method):
    """A function that makes the arguments of a record's values: in order, or by name."""
    reads = [(name, getattr(reader, method)) for name, reader in readers]
    if all(name is None for name, _ in reads):
        return lambda values: ([read(value) for (_, read), value in zip(reads, values)], {})

    def arguments(values):
        given = [(name, read(value)) for (name, read), value in zip(reads, values)]
        return [one for name, one in given if name is None], {name: one for name, one in given if name is not None}

    return arguments


def fields_to_one(call, names, count):
    """A function that makes one argument of several fields: a list, or what the annotation says."""
    parameter = call.ordered[0]
    if call.annotated(parameter):
        raise Unfit(call.mismatch("a record has " + counted(count)) + " (%s): --column takes one field, --items lines whole lines" % parameter.typed())
    annotation = call.resolved(parameter)
    kind = getattr(annotation, "__origin__", annotation)
    # That of the values of a dict, or of the elements of a list.
    element = [one for one in getattr(annotation, "__args__", ()) if one is not Ellipsis][-1:]
    read = (element and reader_of_annotation(element[0], parameter.typed()) or call.untyped).of_text
    if kind is dict and names:
        return call.only(lambda values: {name: read(value) for name, value in zip(names, values)})
    make = tuple if kind is tuple else list
    return call.only(lambda values: make(map(read, values)))


def of_fields(call, names):
    """A function that makes arguments of the fields of a csv record.

    With a heading the fields are known: what does not fit is refused before any item.
    """

    def plan(count):
        single = call.is_single and count == 1
        readers = None if single else call.of_names(names)
        if readers is None and call.is_single and count > 1:
            return fields_to_one(call, names, count)
        readers = readers or call.of_count(count)
        if readers is None:
            what = "the columns are " + ", ".join(names) if names else "the record has " + counted(count)
            raise Unfit(call.mismatch(what))
        return spread(readers, "of_text")

    if names:
        planned = plan(len(names))

        def arguments(values):
            if len(values) != len(names):
                message = "the record has %s, and the heading %d" % (counted(len(values)), len(names))
                raise ItemRefused(b"i", message)
            return planned(values)

        return arguments
    return by_shape(len, plan)


def by_shape(shape, plan):
    """A function that makes arguments as planned for the record's shape. What does not fit is an invalid item."""
    plans = {}

    def arguments(record):
        key = shape(record)
        if key not in plans:
            if len(plans) > 1000:
                plans.clear()
            try:
                plans[key] = plan(key)
            except Unfit as error:
                raise ItemRefused(b"i", str(error)) from None
        return plans[key](record)

    return arguments


def of_object(call, value):
    """A function that makes arguments of a JSON object. `value` makes the only one of the whole."""

    def plan(keys):
        readers = call.of_names(keys)
        if readers is not None:
            make = spread(readers, "of_json")
            return lambda record: make(record.values())
        if call.is_single:
            return value
        raise Unfit(call.mismatch("the record has the keys " + ", ".join(keys)))

    return by_shape(tuple, plan)


def of_array(call):
    """A function that makes arguments of a JSON array, or of a value that is no record."""

    def plan(count):
        readers = call.of_count(count)
        if readers is None:
            raise Unfit(call.mismatch("the record has " + counted(count)))
        return spread(readers, "of_json")

    return by_shape(len, plan)


def of_record(call):
    """A function that makes arguments of a JSON record."""
    value = call.only(call.reader(call.ordered[0]).of_json) if call.is_single else None
    objects, arrays = of_object(call, value), of_array(call)

    def arguments(record):
        if isinstance(record, dict):
            return objects(record)
        if call.is_single:
            return value(record)
        return arrays(record if isinstance(record, list) else [record])

    return arguments


def calls(function, name, options):
    """The function of one value, the function that makes that value of an item's bytes, and what
    gives the value its type, if anything does."""
    call = Call(function, name, options)
    rule = options["rule"]
    if rule in ("text", "value"):
        function, reader = call.of_item()
        if rule == "text":
            return function, reader.of_data, reader.source
        loads = library("json").loads
        return function, lambda data: reader.of_json(loads(decoded(data))), reader.source or "JSON"
    arguments = of_fields(call, options["names"]) if rule == "fields" else of_record(call)
    function, loads = call.function, library("json").loads
    return lambda given: function(*given[0], **given[1]), lambda data: arguments(loads(decoded(data))), "record"


def type_of(value, source):
    """The type of an item for the user."""
    if source != "record":
        return type(value).__name__ + (" (%s)" % source if source else "")
    in_order, by_name = value
    listed = [type(one).__name__ for one in in_order]
    return "(%s)" % ", ".join(listed + ["%s: %s" % (name, type(one).__name__) for name, one in by_name.items()])
