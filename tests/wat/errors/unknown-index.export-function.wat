(module (export "f" (func 5)))
;;= all: invalid
;;=   UnknownIndex { space: Function, index: 5, len: 0 }
;;=   unknown function 5: there are 0 (at offset 0xe, while reading the export section)
