(module (table 1 (ref func)))
;;= all: invalid
;;=   UninitializedTable { element: (ref func) }
;;=   non-nullable table needs an initializer: (ref func) (at offset 0xb, while reading the table section)
