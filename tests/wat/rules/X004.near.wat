;;! no X004
(module (func))
