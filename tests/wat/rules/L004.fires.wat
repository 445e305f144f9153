;;! L004 info
(module (memory 1))
