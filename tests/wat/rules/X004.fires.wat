;;! X004 info
(module (func $named))
