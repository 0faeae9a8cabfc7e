"""A filter's configuration: from the text a person wrote to an instance of the filter's `Config` class.

    read_config      what `--config` was given: a file's name or inline JSON   -> Document
    parse_documents  the same for a YAML stream of several documents
    parse_document   Document -> plain data: str, int, float, bool, None, list, dict with string keys
    build_model      Config class -> Model, plain data that says what may be written (SpecError)
    parse_config     Config class + Document -> instance, or ConfigError with every mistake
    to_plain         instance + Model -> plain data, where a class reads a format of somebody else's
    config_schema    Config class -> JSON Schema 2020-12
    with_docs        Model -> the same, with the docstrings under its fields
    config_example   Config class -> YAML to start from

Only `build_model` looks at Python annotations; everything behind it works on the Model, so that a compiled
filter can carry the same Model and refuse the same text with the same words.
"""

from meshext.config.annotations import (
    build_model,
    build_plain_model,
    check_config_type,
    reads_itself,
    takes_text,
)
from meshext.config.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    Document,
    Plain,
    parse_document,
    parse_documents,
    read_config,
)
from meshext.config.field_docs import with_docs
from meshext.config.instances import parse_config
from meshext.config.plain import to_plain
from meshext.config.redaction import REDACTED, is_secret_name
from meshext.config.schema import config_example, config_schema
from meshext.config.shapes import Choice, DictOf, Field, ListOf, Model, OneOf, Record, Scalar, Shape, TupleOf

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "REDACTED",
    "Choice",
    "DictOf",
    "Document",
    "Field",
    "ListOf",
    "Model",
    "OneOf",
    "Plain",
    "Record",
    "Scalar",
    "Shape",
    "TupleOf",
    "build_model",
    "build_plain_model",
    "check_config_type",
    "config_example",
    "config_schema",
    "is_secret_name",
    "parse_config",
    "parse_document",
    "parse_documents",
    "read_config",
    "reads_itself",
    "takes_text",
    "to_plain",
    "with_docs",
]
