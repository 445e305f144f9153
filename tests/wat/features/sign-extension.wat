;;! without = ["sign-extension"]
(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))
;;= all: valid
;;= all but sign-extension: unsupported
;;=   FeatureDisabled(SignExtension)
;;=   feature `sign-extension` is switched off (at offset 0x1b, function 0, while reading a function body)
