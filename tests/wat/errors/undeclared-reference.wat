;; Only an export, a segment or a constant expression declares a function for `ref.func`.
(module (func $f (drop (ref.func $f))))
;;= all: invalid
;;=   UndeclaredReference { index: 0 }
;;=   undeclared function reference 0 (at offset 0x17, function 0 <f>, while reading a function body)
