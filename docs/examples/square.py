"""An example for the guide: a function that fails for one item."""


def square(x):
    if x == 3:
        raise ValueError("three is not allowed")
    return x * x
