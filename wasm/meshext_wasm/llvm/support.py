"""What the code of every unit calls or keeps its state in: the run-time's words and a few functions.

The words: `pending` is the exception under way (0: none), `top`, `limit`, `mark`, `goal`, `full` and `dirty`
are the heap's, `budget` the steps left, `stack` the bytes that the calls under way are thought to need,
`taken` what the last guard ended with, `owner`, `sites` and `trace` the traceback. They are no objects.
"""

from __future__ import annotations

from string import Template

from meshext_wasm.llvm.names import FALSE, NONE, TRUE, UNSET
from meshext_wasm.llvm.outer import Outer
from meshext_wasm.tree import known

STACK_LIMIT = 256 * 1024
SITES = 64
"""Lines of a traceback that are kept; those further out are dropped."""
LARGEST = 1 << 30
"""Bytes beyond which no allocation is tried: Envoy gives a module no more."""
ENDLESS = (1 << 63) - 1
"""The budget before one is set."""

WORDS = """
@"state:pending" = global i32 0
@"state:top" = global i32 ptrtoint (ptr @__heap_base to i32)
@"state:limit" = global i32 ptrtoint (ptr @__heap_base to i32)
@"state:mark" = global i32 0
@"state:goal" = global i32 0
@"state:full" = global i32 0
@"state:dirty" = global i32 0
@"state:budget" = global i64 $endless
@"state:stack" = global i32 0
@"state:taken" = global i64 0, section "roots.taken"
@"state:owner" = global i32 0
@"state:sites" = global i32 0
@"state:trace" = global [$sites x i32] zeroinitializer
@"state:exhausted" = global { ptr, i32 } { ptr @"class:$exhausted", i32 0 }, align 8
@__heap_base = external global i8
@"class:$exhausted" = external global i8
@"class:$int" = external global i8
@"class:$bool" = external global i8
@"class:$none" = external global i8
@"class:$object" = external global i8
declare void @"fn:$more"(i32) #0
declare void @llvm.memset.p0.i32(ptr, i8, i32, i1)
declare void @llvm.memmove.p0.p0.i32(ptr, ptr, i32, i1)
"""

CLASSES = """
define i32 @"rt:immediate_class"(i64 %value) #0 {
  %small = trunc i64 %value to i1
  %none = icmp eq i64 %value, $none_value
  %either = and i64 %value, -5
  %bool = icmp eq i64 %either, $false_value
  %a = select i1 %bool, ptr @"class:$bool", ptr @"class:$object"
  %b = select i1 %none, ptr @"class:$none", ptr %a
  %c = select i1 %small, ptr @"class:$int", ptr %b
  %d = ptrtoint ptr %c to i32
  ret i32 %d
}

define zeroext i1 @"rt:is_below"(i32 %own, i32 %above) #0 {
  %same = icmp eq i32 %own, %above
  br i1 %same, label %yes, label %deeper
deeper:
  %o = inttoptr i32 %own to ptr
  %a = inttoptr i32 %above to ptr
  %own_depth = load i32, ptr %o
  %depth = load i32, ptr %a
  %may = icmp ugt i32 %own_depth, %depth
  br i1 %may, label %look, label %no
look:
  %d = add i32 %own, 4
  %e = inttoptr i32 %d to ptr
  %display = load i32, ptr %e
  %offset = shl i32 %depth, 2
  %f = add i32 %display, %offset
  %g = inttoptr i32 %f to ptr
  %there = load i32, ptr %g
  %found = icmp eq i32 %there, %above
  ret i1 %found
yes:
  ret i1 true
no:
  ret i1 false
}
"""

HEAP = """
define i32 @"rt:allocate"(i32 %bytes, i32 %descriptor, i32 %meta) #0 {
  %sane = icmp ult i32 %bytes, $largest
  %top = load i32, ptr @"state:top"
  %limit = load i32, ptr @"state:limit"
  %after = add i32 %top, %bytes
  %below = icmp ule i32 %after, %limit
  %fits = and i1 %sane, %below
  br i1 %fits, label %bump, label %more
more:
  %asked = select i1 %sane, i32 %bytes, i32 $largest
  call void @"fn:$more"(i32 %asked)
  %pending = load i32, ptr @"state:pending"
  %failed = icmp ne i32 %pending, 0
  %hopeless = xor i1 %sane, true
  %stop = or i1 %failed, %hopeless
  br i1 %stop, label %none, label %bump
none:
  ret i32 0
bump:
  %from = load i32, ptr @"state:top"
  %to = add i32 %from, %bytes
  store i32 %to, ptr @"state:top"
  %header = inttoptr i32 %from to ptr
  store i32 %descriptor, ptr %header
  %second = add i32 %from, 4
  %place = inttoptr i32 %second to ptr
  store i32 %meta, ptr %place
  ret i32 %from
}

define void @"rt:note"(i64 %value) #0 {
  %low = and i64 %value, 7
  %pointer = icmp eq i64 %low, 0
  %address = trunc i64 %value to i32
  %mark = load i32, ptr @"state:mark"
  %new = icmp uge i32 %address, %mark
  %both = and i1 %pointer, %new
  br i1 %both, label %dirty, label %done
dirty:
  store i32 1, ptr @"state:dirty"
  br label %done
done:
  ret void
}

define i64 @"rt:array_new"(i32 %descriptor, i32 %slots) #0 {
  %large = icmp ugt i32 %slots, 134217727
  %times = shl i32 %slots, 3
  %payload = select i1 %large, i32 $largest, i32 %times
  %bytes = add i32 %payload, 8
  %address = call i32 @"rt:allocate"(i32 %bytes, i32 %descriptor, i32 %slots)
  %failed = icmp eq i32 %address, 0
  br i1 %failed, label %none, label %clear
clear:
  %first = add i32 %address, 8
  %to = inttoptr i32 %first to ptr
  call void @llvm.memset.p0.i32(ptr %to, i8 0, i32 %times, i1 false)
  %value = zext i32 %address to i64
  ret i64 %value
none:
  ret i64 0
}

define i64 @"rt:blob_new"(i32 %descriptor, i32 %payload) #0 {
  %large = icmp ugt i32 %payload, $largest
  %up = add i32 %payload, 15
  %rounded = and i32 %up, -8
  %bytes = select i1 %large, i32 $largest, i32 %rounded
  %address = call i32 @"rt:allocate"(i32 %bytes, i32 %descriptor, i32 %payload)
  %value = zext i32 %address to i64
  ret i64 %value
}

define i64 @"rt:instance_new"(i32 %descriptor) #0 {
  %where = add i32 %descriptor, 12
  %there = inttoptr i32 %where to ptr
  %slots = load i32, ptr %there
  %times = shl i32 %slots, 3
  %bytes = add i32 %times, 8
  %address = call i32 @"rt:allocate"(i32 %bytes, i32 %descriptor, i32 %slots)
  %value = zext i32 %address to i64
  %failed = icmp eq i32 %address, 0
  %start = add i32 %address, 8
  %end = add i32 %start, %times
  br i1 %failed, label %done, label %test
test:
  %at = phi i32 [ %start, %0 ], [ %next, %unset ]
  %more = icmp ult i32 %at, %end
  br i1 %more, label %unset, label %done
unset:
  %slot = inttoptr i32 %at to ptr
  store i64 $unset_value, ptr %slot
  %next = add i32 %at, 8
  br label %test
done:
  ret i64 %value
}
"""

MEMORY = """
define zeroext i1 @"rt:equal"(i32 %a, i32 %b, i32 %count) #0 {
  %wide = and i32 %count, -8
  br label %eights
eights:
  %i = phi i32 [ 0, %0 ], [ %i8, %eight ]
  %enough = icmp ult i32 %i, %wide
  br i1 %enough, label %eight, label %ones
eight:
  %a8 = add i32 %a, %i
  %b8 = add i32 %b, %i
  %pa8 = inttoptr i32 %a8 to ptr
  %pb8 = inttoptr i32 %b8 to ptr
  %x8 = load i64, ptr %pa8, align 1
  %y8 = load i64, ptr %pb8, align 1
  %i8 = add i32 %i, 8
  %same8 = icmp eq i64 %x8, %y8
  br i1 %same8, label %eights, label %no
ones:
  %j = phi i32 [ %i, %eights ], [ %j1, %one ]
  %more = icmp ult i32 %j, %count
  br i1 %more, label %one, label %yes
one:
  %a1 = add i32 %a, %j
  %b1 = add i32 %b, %j
  %pa1 = inttoptr i32 %a1 to ptr
  %pb1 = inttoptr i32 %b1 to ptr
  %x1 = load i8, ptr %pa1
  %y1 = load i8, ptr %pb1
  %j1 = add i32 %j, 1
  %same1 = icmp eq i8 %x1, %y1
  br i1 %same1, label %ones, label %no
yes:
  ret i1 true
no:
  ret i1 false
}

define ptr @memmove(ptr %to, ptr %from, i32 %count) #0 {
  call void @llvm.memmove.p0.p0.i32(ptr %to, ptr %from, i32 %count, i1 false)
  ret ptr %to
}

define ptr @memcpy(ptr %to, ptr %from, i32 %count) #0 {
  call void @llvm.memmove.p0.p0.i32(ptr %to, ptr %from, i32 %count, i1 false)
  ret ptr %to
}

define ptr @memset(ptr %to, i32 %byte, i32 %count) #0 {
  %low = trunc i32 %byte to i8
  call void @llvm.memset.p0.i32(ptr %to, i8 %low, i32 %count, i1 false)
  ret ptr %to
}
"""

FAILURE = """
define void @"rt:raise"(i64 %exception) #0 {
  %address = trunc i64 %exception to i32
  store i32 %address, ptr @"state:pending"
  %owner = load i32, ptr @"state:owner"
  %same = icmp eq i32 %owner, %address
  br i1 %same, label %done, label %begin
begin:
  store i32 %address, ptr @"state:owner"
  store i32 0, ptr @"state:sites"
  br label %done
done:
  ret void
}

define void @"rt:exhaust"() #0 {
  call void @"rt:raise"(i64 ptrtoint (ptr @"state:exhausted" to i64))
  ret void
}

define void @"rt:site"(ptr %record) #0 {
  %count = load i32, ptr @"state:sites"
  %room = icmp ult i32 %count, $sites
  br i1 %room, label %keep, label %done
keep:
  %more = add i32 %count, 1
  store i32 %more, ptr @"state:sites"
  %place = getelementptr i32, ptr @"state:trace", i32 %count
  %address = ptrtoint ptr %record to i32
  store i32 %address, ptr %place
  br label %done
done:
  ret void
}

define i32 @"rt:trace_site"(i32 %number) #0 {
  %place = getelementptr i32, ptr @"state:trace", i32 %number
  %record = load i32, ptr %place
  ret i32 %record
}

define void @"rt:stack_reset"() #0 {
  store i32 0, ptr @"state:stack"
  ret void
}

define i32 @"rt:after_body"() #0 {
  %pending = load i32, ptr @"state:pending"
  %taken = zext i32 %pending to i64
  store i64 %taken, ptr @"state:taken"
  store i32 0, ptr @"state:pending"
  ret i32 %pending
}

define i64 @"rt:guard_call"(i64 %function) #0 {
  %address = trunc i64 %function to i32
  %where = add i32 %address, 12
  %there = inttoptr i32 %where to ptr
  %place = load i32, ptr %there
  %callee = inttoptr i32 %place to ptr
  %result = call i64 %callee(i64 %function)
  %pending = load i32, ptr @"state:pending"
  %taken = zext i32 %pending to i64
  store i64 %taken, ptr @"state:taken"
  store i32 0, ptr @"state:pending"
  %failed = icmp ne i32 %pending, 0
  %value = select i1 %failed, i64 $none_value, i64 %result
  ret i64 %value
}
"""


def support_text() -> str:
    """All of it, in LLVM's text; the linker leaves out what nothing calls."""
    text = Template("".join([WORDS, CLASSES, HEAP, MEMORY, FAILURE])).substitute(
        endless=ENDLESS,
        sites=SITES,
        largest=LARGEST,
        exhausted=known.EXHAUSTED,
        more=known.MORE,
        int=known.INT,
        bool=known.BOOL,
        none=known.NONE,
        object=known.OBJECT,
        none_value=NONE,
        false_value=FALSE,
        unset_value=UNSET,
    )
    assert TRUE & -5 == FALSE
    return f"{Outer().text()}{text}"
