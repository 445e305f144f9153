(module (func (result i32)))
(assert_invalid (module (func)) "type mismatch \u{202e}")
(assert_malformed (module quote "(memory 1)") "unexpected token")
(module
  (func $ok))
(assert_unlinkable (module (func (result i32))) "unknown import")
(module quote "(func $")
