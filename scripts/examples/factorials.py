"""Sums of factorials: 1! + 2! + … + n!, by a plain loop over big numbers."""


def factorial_sum(n):
    """The number of digits of the sum, and its last nine."""
    total, factorial = 0, 1
    for k in range(1, n + 1):
        factorial *= k
        total += factorial
    # bit_length, not str(): long numbers are slow to write out.
    return f"{total.bit_length()} bits, …{total % 1_000_000_000:09}"
