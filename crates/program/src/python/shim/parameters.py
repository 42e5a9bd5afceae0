# The parameters of a function, and the readers of their annotations.

NO_VALUE = object()
# As the kinds of `inspect`.
ONLY_IN_ORDER, EITHER_WAY, MORE_IN_ORDER, ONLY_BY_NAME, MORE_BY_NAME = range(5)

FUNCTION = type(lambda: None)


class Parameter:
    def __init__(self, name, kind, default=NO_VALUE, annotation=NO_VALUE):
        self.name, self.kind, self.default, self.annotation = name, kind, default, annotation

    def is_needed(self):
        return self.default is NO_VALUE

    def listed(self):
        """As it stands in a list for the user."""
        stars = {MORE_IN_ORDER: "*", MORE_BY_NAME: "**"}.get(self.kind, "")
        return stars + self.name + ("" if self.is_needed() else "=" + repr(self.default)[:40])

    def typed(self):
        """With the annotation as it is written."""
        written = self.annotation
        if isinstance(written, type) and not hasattr(written, "__args__"):
            written = written.__name__
        return "%s: %s" % (self.name, str(written).replace("typing.", ""))


def parameters(function):
    """The parameters of a function; None if it does not tell, as some in C."""
    plain = getattr(function, "__func__", function)
    if type(plain) is FUNCTION and not vars(plain):
        return of_code(plain)[plain is not function :]
    inspect = library("inspect")
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    value = lambda one: NO_VALUE if one is inspect.Parameter.empty else one
    return [Parameter(one.name, int(one.kind), value(one.default), value(one.annotation)) for one in found]


def of_code(function):
    """The parameters of a function that is neither wrapped nor in C."""
    code = function.__code__
    count, names = code.co_argcount, list(code.co_varnames)
    kinds = [ONLY_IN_ORDER] * code.co_posonlyargcount + [EITHER_WAY] * (count - code.co_posonlyargcount)
    kinds += [ONLY_BY_NAME] * code.co_kwonlyargcount
    if code.co_flags & 4:
        names.insert(count, names.pop(len(kinds)))
        kinds.insert(count, MORE_IN_ORDER)
    if code.co_flags & 8:
        kinds.append(MORE_BY_NAME)
    in_order = function.__defaults__ or ()
    defaults = dict(zip(names[count - len(in_order) : count], in_order))
    defaults.update(function.__kwdefaults__ or {})
    try:
        annotations = function.__annotations__
    except Exception:
        # From Python 3.14 on they are evaluated here.
        annotations = {}
    return [
        Parameter(name, kind, defaults.get(name, NO_VALUE), annotations.get(name, NO_VALUE))
        for name, kind in zip(names, kinds)
    ]


def namespace(function):
    """Where annotations that are strings are looked up."""
    while type(function).__name__ == "partial" or hasattr(function, "__wrapped__"):
        # functools.partial and functools.wraps
        function = function.__wrapped__ if hasattr(function, "__wrapped__") else function.func
    module = sys.modules.get(getattr(function, "__module__", None) or "builtins")
    return vars(module) if module else {}


