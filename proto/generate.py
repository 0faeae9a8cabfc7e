"""Make the package `meshext_proto`: Envoy's messages and our own, in a descriptor pool of their own.

    python proto/generate.py FOLDER        writes FOLDER/meshext_proto

The descriptors come from the `xds-protos` wheel, the code from `grpcio-tools`; both are build requirements
only. At run time neither is there. `xds-protos` installs itself over packages that belong to others
(`opentelemetry/proto`, `envoy`), and the default pool refuses a second copy of a .proto that anyone else has
loaded: hence the package of our own and the private pool.
"""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

PACKAGE = "meshext_proto"
POOL_IMPORT = f"from {PACKAGE} import POOL as _POOL"
SOURCES = Path(__file__).parent
ROOTS = SOURCES / "envoy_roots.txt"

INIT = '''"""Envoy's messages, made when meshext was built; modules mirror the paths of the .proto files.

`from meshext_proto.envoy.service.auth.v3 import external_auth_pb2`. All of them, well-known types too, live
in `POOL` and never in protobuf's default pool: use `meshext_proto.google.protobuf.struct_pb2`, not
`google.protobuf.struct_pb2`, and give `descriptor_pool=POOL` to `google.protobuf.json_format`.
"""

from google.protobuf.descriptor_pool import DescriptorPool

POOL: DescriptorPool = DescriptorPool()
'''


def read_roots(path: Path) -> list[str]:
    """The .proto names listed in `path`, without blank lines and `#` comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def reach(roots: Iterable[str]) -> list[FileDescriptor]:
    """Every file that `roots` import, themselves included, each after what it imports."""
    found: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        if file.name not in found:
            for dependency in file.dependencies:
                visit(dependency)
            found[file.name] = file

    for root in roots:
        importlib.import_module(module_of(root))
        visit(descriptor_pool.Default().FindFileByName(root))
    return list(found.values())


def module_of(proto: str) -> str:
    """The Python module that protoc makes from a .proto name."""
    return proto.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def compile_files(files: Iterable[FileDescriptor], target: Path) -> None:
    """Run protoc on descriptors, as no .proto sources are at hand: modules and type stubs into `target`."""
    from grpc_tools import protoc

    descriptors = FileDescriptorSet()
    for file in files:
        file.CopyToProto(descriptors.file.add())
    names = [file.name for file in descriptors.file]
    with tempfile.NamedTemporaryFile(suffix=".binpb") as stored:
        stored.write(descriptors.SerializeToString())
        stored.flush()
        outputs = [f"--python_out={target}", f"--pyi_out={target}"]
        status = protoc.main(["protoc", f"--descriptor_set_in={stored.name}", *outputs, *names])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status} for {len(names)} files")


def own_sources() -> list[str]:
    """The .proto files in this folder, which import nothing but well-known types."""
    return [path.relative_to(SOURCES).as_posix() for path in sorted(SOURCES.rglob("*.proto"))]


def compile_sources(names: list[str], target: Path) -> None:
    """Run protoc on .proto files of our own."""
    from grpc_tools import protoc

    outputs = [f"--python_out={target}", f"--pyi_out={target}"]
    well_known = Path(protoc.__file__).parent / "_proto"
    paths = [f"--proto_path={path}" for path in (SOURCES, well_known)]
    status = protoc.main(["protoc", *paths, *outputs, *names])
    if status != 0:
        raise RuntimeError(f"protoc ended with status {status} for {', '.join(names)}")


def rewrite(text: str, modules: Iterable[str]) -> str:
    """Point generated code at the package and its pool.

    `modules` are the dotted names of all generated modules: imports of those move into the package, while
    imports of protobuf's own run time (`from google.protobuf import descriptor`) stay as they are.
    """
    generated = set(modules)

    def moved(match: re.Match[str]) -> str:
        folder, name = match["folder"], match["name"]
        # `import public` is written as a star import of the module itself.
        ours = folder in generated if name == "*" else f"{folder}.{name}" in generated
        return f"from {PACKAGE}.{folder} import {name}" if ours else match[0]

    text = re.sub(r"^from (?P<folder>[\w.]+) import (?P<name>\w+|\*)", moved, text, flags=re.MULTILINE)
    text = text.replace("from google.protobuf import descriptor_pool as _descriptor_pool", POOL_IMPORT)
    text = text.replace("_descriptor_pool.Default()", "_POOL")
    return re.sub(r"(BuildTopDescriptorsAndMessages\(DESCRIPTOR, ')", rf"\g<1>{PACKAGE}.", text)


def packages_in(folder: Path) -> Iterator[Path]:
    """Every folder below `folder`."""
    return (path for path in folder.rglob("*") if path.is_dir())


def generate(target: Path, *, roots: Path = ROOTS) -> Path:
    """Write the package into the folder `target` and return its path."""
    package = target / PACKAGE
    package.mkdir(parents=True)
    files = reach(read_roots(roots))
    compile_files(files, package)
    compile_sources(own_sources(), package)
    modules = [module_of(name) for name in [*(file.name for file in files), *own_sources()]]
    for path in [*package.rglob("*.py"), *package.rglob("*.pyi")]:
        path.write_text(rewrite(path.read_text(encoding="utf-8"), modules), encoding="utf-8")
    for folder in packages_in(package):
        folder.joinpath("__init__.py").touch()
    package.joinpath("__init__.py").write_text(INIT, encoding="utf-8")
    package.joinpath("py.typed").touch()
    return package


if __name__ == "__main__":
    print(generate(Path(sys.argv[1])))
