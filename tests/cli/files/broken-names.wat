(module
  (@custom "name" "\01\05\01\00\7f")
  (@custom "producers" "\01")
  (func))
