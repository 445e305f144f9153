;; `catch_all_ref` hands over an exception, the label takes none.
(module (func (block $h (try_table (catch_all_ref $h)))))
;;= all: invalid
;;=   CatchMismatch
;;=   type mismatch: the catch clause does not match its label (at offset 0x19, function 0, while reading a function body)
