(module (func (try_table (catch 5 0))))
;;= all: invalid
;;=   UnknownIndex { space: Tag, index: 5, len: 0 }
;;=   unknown tag 5: there are 0 (at offset 0x17, function 0, while reading a function body)
