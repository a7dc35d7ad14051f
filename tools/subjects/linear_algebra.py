"""Calculate with matrices and vectors on SymPy, exactly."""

from __future__ import annotations

from typing import Any

from tools.declaration import ToolError, tool
from tools.subjects.symbolic import plain
from tools.types import Matrix, Numbers

MAX_SIZE = 12
_MATRIX_WORDS = "matrix, matrices, by, square"


@tool(
    asks="determinant, det",
    examples=(
        "determinant of [[1, 2], [3, 4]]",
        "What is det [[2, 0], [1, 3]]?",
        "determinant of the matrix [1 2; 3 4]",
    ),
    words=_MATRIX_WORDS,
    libraries="sympy",
)
def determinant(matrix: Matrix) -> int | str:
    """Computes the determinant of a square matrix.

    Args:
        matrix: by rows, at most 12 x 12.

    Returns:
        The determinant, exact.

    Raises:
        ToolError: if the matrix is not square or too large.
    """
    return plain(_square(matrix).det())


@tool(
    asks="inverse, invert",
    examples=("inverse of [[1, 2], [3, 4]]", "invert the matrix [[2, 1], [1, 1]]"),
    words=_MATRIX_WORDS,
    libraries="sympy",
)
def inverse(matrix: Matrix) -> list[list[int | str]]:
    """Computes the inverse of a square matrix.

    Args:
        matrix: by rows, at most 12 x 12.

    Returns:
        The inverse by rows, exact.

    Raises:
        ToolError: if the matrix has no inverse.
    """
    square = _square(matrix)
    if square.det() == 0:
        raise ToolError("The matrix is singular: it has no inverse.")
    return _rows(square.inv())


@tool(
    asks="eigenvalues, eigenvalue, eigen values",
    examples=("eigenvalues of [[2, 0], [0, 3]]", "find the eigenvalues of the matrix [[4, 1], [2, 3]]"),
    words=f"{_MATRIX_WORDS}, all",
    libraries="sympy",
)
def eigenvalues(matrix: Matrix) -> str:
    """Computes the eigenvalues of a square matrix.

    Args:
        matrix: by rows, at most 12 x 12.

    Returns:
        The eigenvalues with their multiplicities, exact.

    Raises:
        ToolError: if the matrix is not square.
    """
    found = _square(matrix).eigenvals()
    ordered = sorted(found.items(), key=lambda pair: (complex(pair[0]).real, complex(pair[0]).imag))
    return ", ".join(
        f"{plain(value)}" + (" (twice)" if n == 2 else f" ({n} times)" if n > 2 else "")
        for value, n in ordered
    )


@tool(
    asks="rank",
    examples=("rank of [[1, 2], [2, 4]]", "What is the rank of the matrix [[1, 0], [0, 1]]?"),
    words=_MATRIX_WORDS,
    libraries="sympy",
)
def rank(matrix: Matrix) -> int:
    """Computes the rank of a matrix.

    Args:
        matrix: by rows, at most 12 x 12.

    Returns:
        The number of linearly independent rows.
    """
    return int(_matrix(matrix).rank())


@tool(
    asks="transpose, transposed",
    examples=("transpose of [[1, 2], [3, 4]]", "transpose the matrix [[1, 2, 3], [4, 5, 6]]"),
    words=_MATRIX_WORDS,
    libraries="sympy",
)
def transpose(matrix: Matrix) -> list[list[int | str]]:
    """Transposes a matrix: rows become columns.

    Args:
        matrix: by rows, at most 12 x 12.

    Returns:
        The transpose by rows.
    """
    return _rows(_matrix(matrix).T)


@tool(
    asks="product, multiply, times, multiplied by, *",
    examples=(
        "multiply [[1, 2], [3, 4]] by [[0, 1], [1, 0]]",
        "matrix product of [[1, 0], [0, 2]] and [[3, 4], [5, 6]]",
    ),
    words=_MATRIX_WORDS,
    libraries="sympy",
    in_order=True,
)
def matrix_product(left: Matrix, right: Matrix) -> list[list[int | str]]:
    """Multiplies two matrices.

    Args:
        left: by rows.
        right: by rows; as many rows as `left` has columns.

    Returns:
        The product by rows, exact.

    Raises:
        ToolError: if the sizes do not fit.
    """
    first, second = _matrix(left), _matrix(right)
    if first.cols != second.rows:
        raise ToolError(
            f"A matrix with {first.cols} columns cannot be multiplied by one with {second.rows} rows."
        )
    return _rows(first * second)


@tool(
    asks="dot product, scalar product, inner product, dot",
    examples=("dot product of [1, 2, 3] and [4, 5, 6]", "What is the scalar product of (1, 0) and (3, 4)?"),
    words="vectors, vector",
    libraries="sympy",
    in_order=True,
)
def dot_product(left: Numbers, right: Numbers) -> int | str:
    """Computes the dot (scalar) product of two vectors.

    Args:
        left: the components.
        right: as many components.

    Returns:
        The sum of the products of the components.

    Raises:
        ToolError: if the vectors differ in length.
    """
    if len(left) != len(right):
        raise ToolError(f"The vectors have {len(left)} and {len(right)} components: they must have as many.")
    return plain(_matrix([left]).dot(_matrix([right])))


@tool(
    asks="cross product, vector product, cross",
    examples=(
        "cross product of [1, 0, 0] and [0, 1, 0]",
        "What is the cross product of (1, 2, 3) and (4, 5, 6)?",
    ),
    words="vectors, vector",
    libraries="sympy",
    in_order=True,
)
def cross_product(left: Numbers, right: Numbers) -> list[int | str]:
    """Computes the cross (vector) product of two vectors of three components, in their order.

    Args:
        left: three components.
        right: three components.

    Returns:
        The three components of left x right.

    Raises:
        ToolError: if a vector has not three components.
    """
    if len(left) != 3 or len(right) != 3:
        raise ToolError("The cross product is defined for vectors of three components.")
    return _rows(_matrix([left]).cross(_matrix([right])))[0]


@tool(
    asks="norm, magnitude, length",
    examples=(
        "norm of [3, 4]",
        "What is the magnitude of the vector (1, 2, 2)?",
        "length of the vector [2, 3, 6]",
    ),
    words="vector, euclidean",
    libraries="sympy",
)
def norm(vector: Numbers) -> int | str:
    """Computes the Euclidean norm (length, magnitude) of a vector.

    Args:
        vector: the components.

    Returns:
        The square root of the sum of squares, exact.
    """
    return plain(_matrix([vector]).norm())


def _matrix(rows: list[list[float]]) -> Any:
    import sympy

    width = len(rows[0]) if rows else 0
    if not width or any(len(row) != width for row in rows):
        raise ToolError("The rows of a matrix must have the same length, and there must be at least one.")
    if max(len(rows), width) > MAX_SIZE:
        raise ToolError(f"Matrices up to {MAX_SIZE} x {MAX_SIZE} are computed, not {len(rows)} x {width}.")
    return sympy.Matrix([[sympy.Rational(str(value)) for value in row] for row in rows])


def _square(rows: list[list[float]]) -> Any:
    matrix = _matrix(rows)
    if matrix.rows != matrix.cols:
        raise ToolError(f"The matrix must be square, but it is {matrix.rows} x {matrix.cols}.")
    return matrix


def _rows(matrix: Any) -> list[list[int | str]]:
    return [[plain(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)]
