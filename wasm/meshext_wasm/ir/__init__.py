"""The intermediate representation: functions as blocks of simple instructions over typed registers.

It is not SSA: a variable's register may be written several times. What may raise says where it goes then, so
every path is in the graph. Nothing here knows LLVM or proxy-wasm.
"""
