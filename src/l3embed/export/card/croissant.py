"""The Croissant file of an export: what is in which file, for tools that find and load datasets.

Croissant 1.1 (http://mlcommons.org/croissant/1.1), which can say how many numbers an embedding has. It is
JSON-LD, written as any JSON. Properties without a value are left out, never made up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from l3embed.export.card.card_facts import CardFacts, Making, ModalityFacts
from l3embed.export.card.card_files import PARQUET, CardFile, parts_pattern
from l3embed.export.card.card_words import keywords, made_with, summary
from l3embed.export.card.citations import PAPERS
from l3embed.export.card.licences import WEIGHTS_LICENCE
from l3embed.export.card.study import Study
from l3embed.export.formats import Rows
from l3embed.export.manifest import MANIFEST_PARQUET
from l3embed.export.manifest_table import manifest_schema
from l3embed.export.parquet import NUMBERS
from l3embed.variants import Modality
from l3embed.version import __version__

VERSION = "http://mlcommons.org/croissant/1.1"

OWN_TERMS = (
    *(
        "arrayShape",
        "citeAs",
        "column",
        "containedIn",
        "equivalentProperty",
        "extract",
        "field",
        "fileObject",
    ),
    *("fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField", "transform"),
)
"""Terms of Croissant's own, which its context makes short."""

IN_LANGUAGE = {"@container": "@language"}
AS_JSON = "@json"

CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": AS_JSON},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": IN_LANGUAGE,
    "examples": {"@id": "cr:examples", "@type": AS_JSON},
    "name": IN_LANGUAGE,
    **{term: f"cr:{term}" for term in OWN_TERMS},
}
"""The context that Croissant 1.1 recommends, and PROV's."""

DATA_TYPES = {
    "string": ["sc:Text"],
    "int32": ["cr:Int32"],
    "int64": ["cr:Int64"],
    "halffloat": ["cr:Float16"],
    "float": ["cr:Float32"],
    "double": ["cr:Float64"],
}
"""Croissant's types, by Arrow's."""

LABEL, EMBEDDING = "label", "embedding"
MANIFEST = "manifest"
COLUMNS = {
    "path": "The input, below the dataset's folder and with slashes",
    LABEL: "The input's class; empty if it has none",
    "fold": "The fold that the dataset's authors put the input into; empty if they did not",
    "sha256": "The checksum of the input's bytes",
    "frame": "Which of the input's embeddings this is, from 0 on",
    "timestamp_s": "When in the input, in seconds; none for images",
    "frames": "Over how many embeddings of the input this is pooled",
    "duration_s": "The length of the input in seconds; none for images",
    EMBEDDING: "The embedding",
}
"""What the columns of the Parquet datasets hold."""


def croissant(study: Study, facts: CardFacts, making: Making, files: Sequence[CardFile]) -> dict[str, Any]:
    """Return the content of an export's Croissant file."""
    licence = study.licence.url if study.licence else None
    stated = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": study.title,
        "description": "\n\n".join(filter(None, [study.description, summary(facts)])),
        "license": licence,
        "url": study.url,
        "creator": [{"@type": "sc:Person", "name": author} for author in study.authors],
        "datePublished": study.published,
        "version": study.version,
        "citeAs": study.citation,
        "citation": list(PAPERS),
        "keywords": keywords(facts),
        "measurementTechnique": [made_with(modality, facts, making) for modality in facts.embedded],
        "distribution": [*map(_file_object, files), *map(_file_set, facts.embedded)],
        "recordSet": [
            *(_embeddings(modality, own, making) for modality, own in facts.embedded.items()),
            _manifest(),
        ],
    }
    return {name: value for name, value in stated.items() if value}


def _file_object(file: CardFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path,
        "description": f"{file.what}.",
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": file.encoding,
        "sha256": file.sha256,
    }


def _file_set(modality: Modality) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": _parts_id(modality),
        "name": _parts_id(modality),
        "description": f"The parts of the Parquet dataset of {modality.value} embeddings.",
        "encodingFormat": PARQUET,
        "includes": parts_pattern(modality),
    }


def _parts_id(modality: Modality) -> str:
    return f"{modality.value}-parts"


def _embeddings(modality: Modality, facts: ModalityFacts, making: Making) -> dict[str, Any]:
    name = modality.value
    source = {"fileSet": {"@id": _parts_id(modality)}}
    keys = ["path", NUMBERS[Rows.FRAMES][0]] if facts.kind is Rows.FRAMES else ["path"]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"The {name} embeddings, one a record.",
        "key": [{"@id": f"{name}/{key}"} for key in keys],
        "prov:wasGeneratedBy": _activity(modality, facts, making),
        "field": list(_fields(name, facts.schema, source, COLUMNS)),
    }


def _manifest() -> dict[str, Any]:
    source = {"fileObject": {"@id": MANIFEST_PARQUET}}
    return {
        "@type": "cr:RecordSet",
        "@id": MANIFEST,
        "name": MANIFEST,
        "description": "What is known of each input, one a record; a video has two, and failed ones say why.",
        "key": [{"@id": f"{MANIFEST}/path"}, {"@id": f"{MANIFEST}/modality"}],
        "field": list(_fields(MANIFEST, manifest_schema(), source, {})),
    }


def _fields(
    record_set: str, schema: Any, source: Mapping[str, Any], words: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    for column in schema:
        is_array = pa.types.is_fixed_size_list(column.type)
        types = DATA_TYPES[str(column.type.value_type if is_array else column.type)]
        types = [*types, "cr:Label"] if column.name == LABEL else types
        shape = {"isArray": True, "arrayShape": str(column.type.list_size)} if is_array else {}
        yield {
            "@type": "cr:Field",
            "@id": f"{record_set}/{column.name}",
            "name": column.name,
            **({"description": f"{words[column.name]}."} if column.name in words else {}),
            "dataType": types if len(types) > 1 else types[0],
            **shape,
            "source": {**source, "extract": {"column": column.name}},
        }


def _activity(modality: Modality, facts: ModalityFacts, making: Making) -> dict[str, Any]:
    """Return by what the embeddings were made, in PROV's words."""
    weights = making.weights[modality]
    used = {"@type": "prov:Entity", "prov:label": f"weights {weights.identity}", "url": weights.source}
    if weights.source:
        used["license"] = WEIGHTS_LICENCE.url
    return {
        "@type": "prov:Activity",
        "prov:label": f"embedding by the network {' and '.join(sorted(facts.variants))}",
        "prov:used": {name: value for name, value in used.items() if value},
        "prov:wasAssociatedWith": {"@type": "prov:SoftwareAgent", "prov:label": f"l3embed {__version__}"},
    }
