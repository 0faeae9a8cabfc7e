"""The back end on LLVM: IR in, objects of WebAssembly out. Only here is LLVM known."""
