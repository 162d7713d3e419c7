"""Makes the files of the stand-in for nix2container.

layer ATTRIBUTES OUT   writes which paths a layer holds
image ATTRIBUTES OUT   writes the configuration and the layers of an image
layout IMAGE FOLDER    writes an OCI layout, with layers that are not compressed
"""

import hashlib
import io
import json
import os
import re
import sys
import tarfile


def read(path):
    with open(path) as file:
        return json.load(file)


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file)


def layer(attributes, out):
    given = read(attributes)
    references = {entry["path"]: entry["references"] for entry in given["graph"]}
    earlier = {path for layer in given["earlier"] for path in read(layer)["paths"]}
    found, waiting = set(), list(given["deps"])
    for root in given["roots"]:
        waiting += [path for path in references[root] if path != root]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += references[path]
    keys = ("roots", "perms", "storeDir")
    write(out, {"paths": sorted(found - earlier)} | {key: given[key] for key in keys})


def image(attributes, out):
    given = read(attributes)
    write(out, given["image"] | {"layers": given["layers"]})


def tar_of(layer):
    """A tar with the layer's store paths, and the content of its roots at /."""
    entries = {}
    for path in layer["paths"]:
        for found in walk(path):
            entries[found.lstrip("/")] = (found, None)
    for root in layer["roots"]:
        rules = [rule for rule in layer["perms"] if rule["path"] == root]
        for found in walk(root):
            if found != root:
                rule = next((rule for rule in rules if re.search(rule["regex"], found)), None)
                entries[found[len(root) + 1 :]] = (found, rule)
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted({parent for name in entries for parent in parents(name)} - set(entries)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, 1
            tar.addfile(entry)
        for name, (path, rule) in sorted(entries.items()):
            entry = tar.gettarinfo(path, arcname=name)
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.mtime = 1
            if entry.islnk():
                entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", os.stat(path).st_size
            if rule:
                entry.mode, entry.uid, entry.gid = int(rule["mode"], 8), rule["uid"], rule["gid"]
            if entry.isreg():
                with open(path, "rb") as file:
                    tar.addfile(entry, file)
            else:
                tar.addfile(entry)
    return data.getvalue()


def walk(path):
    yield path
    if os.path.isdir(path) and not os.path.islink(path):
        for name in sorted(os.listdir(path)):
            yield from walk(os.path.join(path, name))


def parents(name):
    while "/" in name:
        name = name.rsplit("/", 1)[0]
        yield name


def layout(image, folder):
    image = read(image)
    os.makedirs(f"{folder}/blobs/sha256")

    def blob(content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        with open(f"{folder}/blobs/sha256/{digest}", "wb") as file:
            file.write(content)
        return {"mediaType": f"application/vnd.oci.image.{media_type}", "digest": f"sha256:{digest}", "size": len(content)}

    layers = [blob(tar_of(read(layer)), "layer.v1.tar") for layer in image["layers"]]
    config = {
        "created": image["created"],
        "architecture": image["arch"],
        "os": "linux",
        "config": image["config"],
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        "history": [{"created": image["created"]} for _ in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(json.dumps(config).encode(), "config.v1+json"),
        "layers": layers,
    }
    descriptor = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    descriptor["annotations"] = {"org.opencontainers.image.ref.name": "image"}
    write(f"{folder}/oci-layout", {"imageLayoutVersion": "1.0.0"})
    write(f"{folder}/index.json", {"schemaVersion": 2, "manifests": [descriptor]})


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"layer": layer, "image": image, "layout": layout}[verb](*rest)
