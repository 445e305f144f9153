;;! W005 info
(module (func (export "f") (param i32 i32) (result i32)
    local.get 0 i32.const 0 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 40 i32.add local.set 1
    local.get 0 i32.const 1 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 41 i32.add local.set 1
    local.get 0 i32.const 2 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 42 i32.add local.set 1
    local.get 0 i32.const 3 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 43 i32.add local.set 1
    local.get 0 i32.const 4 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 44 i32.add local.set 1
    local.get 0 i32.const 5 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 45 i32.add local.set 1
    local.get 0 i32.const 6 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 46 i32.add local.set 1
    local.get 0 i32.const 7 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 47 i32.add local.set 1
    local.get 0 i32.const 8 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 48 i32.add local.set 1
    local.get 0 i32.const 9 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 49 i32.add local.set 1
    local.get 0 i32.const 10 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 50 i32.add local.set 1
    local.get 0 i32.const 11 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 51 i32.add local.set 1
    local.get 0 i32.const 12 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 52 i32.add local.set 1
    local.get 0 i32.const 13 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 53 i32.add local.set 1
    local.get 0 i32.const 14 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 54 i32.add local.set 1
    local.get 0 i32.const 15 i32.rotl local.get 1 i32.xor local.set 0 local.get 1 i32.const 55 i32.add local.set 1
    local.get 0))
