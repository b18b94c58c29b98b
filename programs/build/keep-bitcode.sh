#!/bin/sh
# Stands in for rustc's linker: only with a link step does rustc optimise the whole program as one, and what it would hand to
# the linker then, a single object of bitcode, is what the build goes on with.
set -eu
output=
object=
previous=
for argument in "$@"; do
  [ "$previous" = -o ] && output=$argument
  case $argument in
    *.o)
      [ -z "$object" ] || { echo "expected one object, got $object and $argument" >&2; exit 1; }
      object=$argument
      ;;
  esac
  previous=$argument
done
[ -n "$object" ] && [ -n "$output" ] || { echo "expected an object and an output: $*" >&2; exit 1; }
cp "$object" "$output"
