"""The shape of an image: (height, width) of a grey one, (height, width, 3) of one in colour.
Imports nothing, for what starts without NumPy.
"""

ImageShape = tuple[int, ...]
COLOURS = 3
"""The channels of an image in colour: red, green, blue."""


def frame_shape(shape: ImageShape) -> ImageShape:
    """Return height, width and channels; a grey image has one channel."""
    return (*shape, 1)[:3]


def is_colour(shape: ImageShape) -> bool:
    """Whether this is the shape of an image in colour."""
    return len(shape) == 3


def are_whole(shape: ImageShape, class_names: tuple[str, ...]) -> bool:
    """Whether images of this shape with these classes are pictures as a whole, rather than digits
    to be found in pictures: those in colour, and those whose classes have names.
    """
    return is_colour(shape) or bool(class_names)


def describe_shape(shape: ImageShape) -> str:
    """Return the shape in words, such as "28x28" or "32x32 in colour"."""
    return f"{shape[0]}x{shape[1]}{' in colour' if is_colour(shape) else ''}"
