;; Names that mean harm: escape sequences, bidirectional overrides, what cannot be seen.
(module $"mod\1b[2Jule"
  (import "a\nb" "\1b]52;c;aGVsbG8=\07" (func $"imp\u{202e}orted" (param i32)))
  (func $"f\u{200b}unc" (export "\00nul") (export "right\u{202e}left\u{2066}") (export "na\u{ef}ve e\u{301}")
    i32.const 1
    call $"imp\u{202e}orted")
  (@custom "cus\u{7f}tom\u{2028}" "content"))
