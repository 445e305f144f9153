(module
  (type $f (func))
  (func
    (call_ref $f (ref.null nofunc))))
;;= all: valid
