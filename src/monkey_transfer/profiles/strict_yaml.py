"""YAML as people mean it: a value is what it looks like, and no key is said twice.

PyYAML reads YAML 1.1, where ``on`` is true, ``0100`` is 64, ``1:30`` is 90, ``1e-3`` a text, ``2024-01-01`` a date, and
the last of two keys of one name wins. Here values are those of YAML 1.2.2, section 10.3.2, and every key is a text.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.reader import ReaderError

from monkey_transfer.errors import StudyError


def read_yaml(file: Path) -> Any:
    """What a file in UTF-8 or UTF-16 says.

    StudyError names file and line if it cannot be read or is not YAML, has a key twice or one that is no text.
    """
    try:
        return yaml.load(file.read_bytes(), _Loader)
    except OSError as error:
        raise StudyError(f"{file}: cannot be read ({error.strerror}); expected a file in YAML") from None
    except ReaderError as error:
        raise StudyError(
            f"{file}: is not text in UTF-8 ({error.reason}); save it as UTF-8, without control signs"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        said = ", ".join(filter(None, (error.context, error.problem)))
        if isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError):
            said += "; indent with spaces, and put a text with signs such as : or % in quotes"
        raise StudyError(f"{file}: not valid YAML{line}: {said}") from None
    except (ValueError, LookupError):
        raise StudyError(
            f"{file}: not valid YAML: a value does not fit its tag, such as !!int; remove the tag"
        ) from None
    except RecursionError:
        raise StudyError(f"{file}: its keys or lists are nested too deeply for a profile") from None


_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}
    yaml_constructors = {
        tag: yaml.SafeLoader.yaml_constructors[tag] for tag in (f"{_TAG}map", f"{_TAG}seq", f"{_TAG}str", None)
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ComposerError(None, None, "expected a name before ':', found a list or keys", key.start_mark)
            if key.style is None and not key.value.isprintable():
                hidden = f"key {key.value!r} has a space or sign that only looks like nothing; type it anew"
                raise ComposerError(None, None, hidden, key.start_mark)
            if key.value in lines:
                twice = f"key {key.value!r} is in line {lines[key.value]} already; keep one of the two"
                raise ComposerError(None, None, twice, key.start_mark)
            lines[key.value] = key.start_mark.line + 1
            if key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        return node

    def construct_document(self, node: yaml.Node) -> Any:
        return self.construct_object(node, deep=True)  # which tells of keys that hold themselves


def _reading(value: Callable[[str], Any]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    return lambda _, node: value(node.value)


for _name, _pattern, _value in (
    ("null", "~|null|Null|NULL|", lambda _: None),
    ("bool", "true|True|TRUE|false|False|FALSE", lambda text: {"true": True, "false": False}[text.lower()]),
    ("int", "[-+]?[0-9]{1,99}|0o[0-7]+|0x[0-9a-fA-F]+", lambda text: int(text, 0 if text[1:2] in ("o", "x") else 10)),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        lambda text: float(re.sub(r"\.(?=[iInN])", "", text)),
    ),
    ("merge", "<<", str),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})\\Z"), None)
    _Loader.add_constructor(_TAG + _name, _reading(_value))
