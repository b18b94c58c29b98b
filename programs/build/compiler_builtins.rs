//! Stands in for the crate of that name, which core and alloc want to exist: the programs built here call nothing of it.
#![no_std]
#![feature(compiler_builtins)]
#![compiler_builtins]
