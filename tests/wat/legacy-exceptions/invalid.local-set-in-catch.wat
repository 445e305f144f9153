;; What a catch has set is unset behind the `try`.
(module
  (tag $e)
  (func (param (ref func)) (local (ref func))
    try
    catch $e
      local.get 0
      local.set 1
    end
    local.get 1
    drop))
;;= all: invalid
;;=   UninitializedLocal { index: 1 }
;;=   uninitialized local 1 (at offset 0x2d, function 0, while reading a function body)
