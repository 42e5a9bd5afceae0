"""A blur over pictures whose names are the items: each is read, blurred and
written beside itself as NAME.blurred.ppm. Pictures are PPM (P6, 8 bits), so that
nothing has to be installed.

usage: blur.py FOLDER COUNT [SIDE]   makes some pictures to try it on
"""

import os
import sys

RADIUS = 2


def blur(name):
    """Blurs one picture; the result is where it went."""
    width, height, pixels = read(name)
    across = [averaged(row) for row in rows(pixels, width)]
    columns = [averaged(column) for column in zip(*across)]
    target = name.removesuffix(".ppm") + ".blurred.ppm"
    write(target, width, height, [pixel for row in zip(*columns) for pixel in row])
    return target


def averaged(line):
    """Each pixel the mean of its neighbours, up to RADIUS away."""
    line = list(line)
    result = []
    for at in range(len(line)):
        near = line[max(0, at - RADIUS) : at + RADIUS + 1]
        result.append(tuple(sum(channel) // len(near) for channel in zip(*near)))
    return result


def rows(pixels, width):
    for start in range(0, len(pixels), width):
        yield pixels[start : start + width]


def read(name):
    with open(name, "rb") as file:
        if file.readline().strip() != b"P6":
            raise ValueError(f"{name} is no PPM picture (P6)")
        width, height = map(int, file.readline().split())
        if file.readline().strip() != b"255":
            raise ValueError(f"{name} has more than 8 bits a colour")
        data = file.read(3 * width * height)
    if len(data) < 3 * width * height:
        raise ValueError(f"{name} is torn")
    return width, height, [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]


def write(name, width, height, pixels):
    with open(name, "wb") as file:
        file.write(b"P6\n%d %d\n255\n" % (width, height))
        file.write(bytes(value for pixel in pixels for value in pixel))


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    side = int(sys.argv[3]) if len(sys.argv) > 3 else 120
    os.makedirs(folder, exist_ok=True)
    for number in range(count):
        pixels = [((x * (number + 1)) % 256, (y * 5) % 256, (x ^ y) % 256) for y in range(side) for x in range(side)]
        write(os.path.join(folder, f"{number:02}.ppm"), side, side, pixels)


if __name__ == "__main__":
    main()
