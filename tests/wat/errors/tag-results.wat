(module (type $f (func (result i32))) (tag (type $f)))
;;= all: invalid
;;=   TagResults
;;=   non-empty tag result type (at offset 0x13, while reading the tag section)
