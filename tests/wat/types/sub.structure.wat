;; Fields may be added, and immutable ones narrowed.
(module
  (type $a (sub (struct (field anyref))))
  (type (sub $a (struct (field i31ref) (field i32)))))
;;= all: valid
