#!/usr/bin/env python3
"""Reduces the vendor's contract to the paths in use, what they refer to, and no prose.

    reduce.py PALETTE_JSON              writes contract.json beside this file, and what clusters are made of
    reduce.py PALETTE_JSON --check      says whether both are what it would write

What clusters are made of (CLUSTERS) are the bodies that the product sends: the binary carries it, to check what a
caller wrote before anything is sent.
"""

import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
PATHS = HERE / "paths.txt"
CONTRACT = HERE / "contract.json"
CLUSTERS = HERE.parents[2] / "src/palette/contract/clusters.json"
CLOUDS = ["aks", "aws", "azure", "eks", "gcp", "gke", "maas", "virtual", "vsphere"]
CHECKED = {"type", "required", "enum", "minimum", "maximum", "$ref"}
PROSE = {"description", "summary", "title", "example", "operationId", "tags"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch"}


def is_prose(key):
    return key in PROSE or key.startswith("x-")


def schema(node):
    """A schema without prose. Inside `properties` a key is a name: a field may well be called `description`."""
    if isinstance(node, list):
        return [schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {}
    for key, value in node.items():
        if key == "properties":
            kept[key] = {name: schema(field) for name, field in value.items()}
        elif key in ("enum", "default", "required"):
            kept[key] = value
        elif not is_prose(key):
            kept[key] = schema(value)
    return kept


def answer(node):
    # the standard requires a description
    kept = {"description": ""}
    if "schema" in node:
        kept["schema"] = schema(node["schema"])
    if "headers" in node:
        kept["headers"] = {name: schema(header) for name, header in node["headers"].items()}
    return kept


def operation(node):
    kept = {key: node[key] for key in ("consumes", "produces", "security") if key in node}
    if "parameters" in node:
        kept["parameters"] = schema(node["parameters"])
    kept["responses"] = {status: answer(value) for status, value in node["responses"].items()}
    return kept


def references(node):
    """The names of the definitions that a node refers to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                kind, name = value.rsplit("/", 1)
                if kind != "#/definitions":
                    sys.exit(f"{value}: only definitions are carried over")
                yield name
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def wanted():
    for line in PATHS.read_text().splitlines():
        if line and not line.startswith("#"):
            method, path = line.split()
            yield method.lower(), path


def reduce(vendor):
    paths = {}
    for method, path in wanted():
        there = vendor["paths"].get(path, {})
        if method not in METHODS or method not in there:
            sys.exit(f"{method.upper()} {path}: not in the vendor's contract")
        item = paths.setdefault(path, {})
        if "parameters" in there:
            item["parameters"] = schema(there["parameters"])
        item[method] = operation(there[method])
    definitions = {}
    open_ends = list(references(paths))
    while open_ends:
        name = open_ends.pop()
        if name not in definitions:
            definitions[name] = schema(vendor["definitions"][name])
            open_ends.extend(references(definitions[name]))
    return dict(sorted(paths.items())), dict(sorted(definitions.items()))


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def block(entries):
    """An entry a line, so that a change of the contract reads well."""
    return "{\n" + ",\n".join(f"{compact(name)}:{compact(value)}" for name, value in entries.items()) + "\n}"


def contract(text):
    vendor = json.loads(text)
    paths, definitions = reduce(vendor)
    info = {
        **vendor["info"],
        "description": "Reduced by reduce.py from spectrocloud/palette-sdk-go, api/spec/palette.json",
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        "x-source-sha256": hashlib.sha256(text).hexdigest(),
    }
    top = {key: vendor[key] for key in ("swagger", "consumes", "produces", "schemes") if key in vendor}
    lines = [f"{compact(key)}:{compact(value)}" for key, value in top.items()]
    lines.append(f'"info":{compact(info)}')
    lines.append(f'"securityDefinitions":{compact(schema(vendor["securityDefinitions"]))}')
    lines.append(f'"paths":{block(paths)}')
    lines.append(f'"definitions":{block(definitions)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def checked(node):
    """What of a schema a value is checked by."""
    kept = {key: value for key, value in node.items() if key in CHECKED}
    if "properties" in node:
        kept["properties"] = {name: checked(field) for name, field in node["properties"].items()}
    if "items" in node:
        kept["items"] = checked(node["items"])
    if isinstance(node.get("additionalProperties"), dict):
        kept["additionalProperties"] = checked(node["additionalProperties"])
    return kept


def body(vendor, method, path):
    parameters = vendor["paths"][path][method]["parameters"]
    return next(one["schema"]["$ref"] for one in parameters if one["in"] == "body").rsplit("/", 1)[1]


def clusters(text):
    vendor = json.loads(text)
    cluster = "/v1/spectroclusters"
    bodies = {cloud: body(vendor, "post", f"{cluster}/{cloud}") for cloud in CLOUDS}
    rates = {f"{cloud}/rate": body(vendor, "post", f"{cluster}/{cloud}/rate") for cloud in CLOUDS if cloud != "virtual"}
    bodies |= rates | {
        "profiles": body(vendor, "patch", cluster + "/{uid}/profiles"),
        "repave": body(vendor, "post", cluster + "/{uid}/validate/repave"),
    }
    definitions = {}
    open_ends = sorted(set(bodies.values()))
    while open_ends:
        name = open_ends.pop()
        if name not in definitions:
            definitions[name] = checked(vendor["definitions"][name])
            open_ends.extend(references(definitions[name]))
    lines = [f'"source":{compact(hashlib.sha256(text).hexdigest())}', f'"bodies":{block(bodies)}']
    lines.append(f'"definitions":{block(dict(sorted(definitions.items())))}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    arguments = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    text = pathlib.Path(arguments[0]).read_bytes()
    for path, made in [(CONTRACT, contract(text)), (CLUSTERS, clusters(text))]:
        if "--check" not in sys.argv:
            path.write_text(made)
        elif path.read_text() != made:
            sys.exit(f"{path.name} is not what this would write")


main()
