;; Behind the branch the reference is not null.
(module
  (func (param anyref) (result (ref any))
    (block (return (br_on_null 0 (local.get 0)))) (unreachable)))
;;= all: valid
