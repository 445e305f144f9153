(module)
(assert_invalid (module)
