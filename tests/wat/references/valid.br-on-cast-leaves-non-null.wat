;; A target with null leaves a source without.
(module
  (func (param anyref) (result (ref any))
    (block (result i31ref) (return (br_on_cast 0 anyref (ref null i31) (local.get 0)))) (drop) (unreachable)))
;;= all: valid
