(module (table 2 1 funcref))
;;= all: invalid
;;=   LimitsOrder { min: 2, max: 1 }
;;=   size minimum must not be greater than maximum: 2 > 1 (at offset 0xb, while reading the table section)
