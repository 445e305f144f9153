(module
  (func $"twin")
  (func $other)
  (@custom "name" (before first) "\01\0d\02\00\04twin\01\04twin"))
