;; References cannot come out of bytes.
(module (type $a (array anyref)) (data "") (func (drop (array.new_data $a 0 (i32.const 0) (i32.const 0)))))
;;= all: invalid
;;=   ArrayElement { found: anyref, wanted: "a number or a vector" }
;;=   type mismatch: array element type is anyref, a number or a vector is needed (at offset 0x21, function 0, while reading a function body)
