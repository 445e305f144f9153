;;! no X003
(module (func (export "ok-\c3\bc")))
