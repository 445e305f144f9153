;; The exception carries an i32, the label takes nothing.
(module (tag $e (param i32)) (func (block $h (try_table (catch $e $h)))))
;;= all: invalid
;;=   CatchMismatch
;;=   type mismatch: the catch clause does not match its label (at offset 0x22, function 0, while reading a function body)
