(module (func (drop (global.get 5))))
;;= all: invalid
;;=   UnknownIndex { space: Global, index: 5, len: 0 }
;;=   unknown global 5: there are 0 (at offset 0x17, function 0, while reading a function body)
