(module (func (param i32) (local i64) (drop (local.get 5))))
;;= all: invalid
;;=   UnknownIndex { space: Local, index: 5, len: 2 }
;;=   unknown local 5: there are 2 (at offset 0x1a, function 0, while reading a function body)
