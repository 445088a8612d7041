"""The formula of a multi grader: numbers, names, + - * / ^ and a few functions, nothing else."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

from trainerbot.errors import InvalidInput

_MAX_CHARACTERS = 400
_OPERATIONS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    # As OpenAI writes a power.
    ast.BitXor: math.pow,
    ast.Pow: math.pow,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}


class WrongFormula(InvalidInput):
    """The formula cannot be read, or has no finite value."""


def check(formula: str, names: list[str]) -> None:
    """Raise WrongFormula when the formula cannot be read, or uses other names."""
    _checked(_parsed(formula), set(names))


def value(formula: str, given: Mapping[str, float]) -> float:
    """Return the formula's value. Raises WrongFormula."""
    tree = _parsed(formula)
    _checked(tree, set(given))
    try:
        found = float(_value(tree, given))
    except (ArithmeticError, ValueError, TypeError) as error:
        raise WrongFormula(
            "The formula of 'calculate_output' has no value for these scores."
        ) from error
    if not math.isfinite(found):
        raise WrongFormula("The formula of 'calculate_output' has no finite value.")
    return found


def _parsed(formula: str) -> ast.expr:
    if len(formula) > _MAX_CHARACTERS:
        raise WrongFormula(f"The formula is longer than {_MAX_CHARACTERS} characters.")
    try:
        return ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise WrongFormula("The formula of 'calculate_output' cannot be read.") from error


def _checked(node: ast.expr, names: set[str]) -> None:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return
        case ast.Name(id=name):
            if name not in names:
                raise WrongFormula(
                    f"The formula names '{name[:50]}', but the graders are: {', '.join(names)}."
                )
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            _checked(left, names)
            _checked(right, names)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _checked(operand, names)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            for argument in args:
                _checked(argument, names)
        case _:
            raise WrongFormula(
                "The formula may hold the graders' names, numbers, + - * / ^, brackets and "
                f"{', '.join(_FUNCTIONS)}."
            )


def _value(node: ast.expr, given: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=(int() | float()) as number):
            return float(number)
        case ast.Name(id=name):
            return given[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left, given), _value(right, given))
        case ast.UnaryOp(op=op, operand=operand):
            sign = -1 if isinstance(op, ast.USub) else 1
            return sign * _value(operand, given)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_value(argument, given) for argument in args))
    raise WrongFormula("The formula of 'calculate_output' cannot be read.")
