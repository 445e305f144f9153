(module (start $f) (func $f (param i32)))
;;= all: invalid
;;=   StartType
;;=   start function: type must be without parameters and results (at offset 0x15, while reading the start section)
