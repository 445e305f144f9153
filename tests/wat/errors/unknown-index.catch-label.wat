(module (func (try_table (catch_all 5))))
;;= all: invalid
;;=   UnknownIndex { space: Label, index: 5, len: 1 }
;;=   unknown label 5: there are 1 (at offset 0x17, function 0, while reading a function body)
