"""Makes images for the stand-in of dockerTools.

make ATTRIBUTES ROOT OUT   writes OUT, a program that runs `stream`
stream CONFIGURATION       writes a docker-archive to its output
"""

import hashlib
import io
import json
import os
import sys
import tarfile


def closure(graph, starts):
    found, waiting = set(), [path for path in starts if path in graph]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [other for other in graph[path] if other in graph]
    return found


def layers_of(graph, pipeline):
    """Runs the verbs of `layeringPipeline` that the templates use, on a graph: a set of paths with their references."""
    parts = {"rest": graph}
    for verb, *arguments in pipeline:
        if verb == "subcomponent_out":
            main = closure(graph, arguments[0])
            parts = {
                "main": [sorted(main)],
                "rest": {path: refs for path, refs in graph.items() if path not in main},
            }
        elif verb == "over":
            name, (inner, steps) = arguments
            assert inner == "pipe", inner
            parts[name] = layers_of(parts[name], steps)
        else:
            raise ValueError(f"the stand-in knows no {verb}")
    rest = parts.pop("rest")
    layers = parts.get("main", [])
    return layers + (rest if isinstance(rest, list) else [sorted(rest)] if rest else [])


def plain(entry):
    entry.mtime = 1
    entry.uname = entry.gname = ""
    return entry


def owned_by_root(entry):
    entry.uid = entry.gid = 0
    return plain(entry)


def layer_of(paths, store):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for folder in (os.path.dirname(store), store):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, 1
            tar.addfile(entry)
        for path in paths:
            tar.add(path, filter=owned_by_root)
    return data.getvalue()


def make(attributes, root, out):
    with open(attributes) as file:
        given = json.load(file)
    image = given["image"]
    graph = {entry["path"]: entry["references"] for entry in given["graph"] if entry["path"] != image["exclude"]}
    image["layers"] = layers_of(graph, image.pop("layeringPipeline"))
    del image["exclude"]
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(os.listdir(root)):
            tar.add(os.path.join(root, name), arcname=name, filter=plain)
    os.mkdir(out)
    with open(f"{out}/customisation.tar", "wb") as file:
        file.write(data.getvalue())
    if image["tag"] is None:
        image["tag"] = os.path.basename(out)[:32]
    with open(f"{out}/image.json", "w") as file:
        json.dump(image, file)


def stream(folder):
    with open(f"{folder}/image.json") as file:
        image = json.load(file)
    layers = [layer_of(paths, image["storeDir"]) for paths in image["layers"]]
    with open(f"{folder}/customisation.tar", "rb") as file:
        layers.append(file.read())
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    config = json.dumps(
        {
            "created": image["created"],
            "architecture": image["architecture"],
            "os": "linux",
            "config": image["config"],
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
            "history": [{"created": image["created"]} for _ in layers],
        }
    ).encode()
    manifest = [
        {
            "Config": f"{hashlib.sha256(config).hexdigest()}.json",
            "RepoTags": [f"{image['name']}:{image['tag']}"],
            "Layers": [f"{digest}/layer.tar" for digest in digests],
        }
    ]
    files = {f"{digest}/layer.tar": layer for digest, layer in zip(digests, layers)}
    files |= {manifest[0]["Config"]: config, "manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1
            tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"make": make, "stream": stream}[verb](*rest)
