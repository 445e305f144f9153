(module (func (drop (table.size 5))))
;;= all: invalid
;;=   UnknownIndex { space: Table, index: 5, len: 0 }
;;=   unknown table 5: there are 0 (at offset 0x17, function 0, while reading a function body)
