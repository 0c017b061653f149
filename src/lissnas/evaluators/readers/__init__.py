"""Readers of official benchmark files, with none of the libraries that wrote them.

========================  ==============================================================================================
``tfrecord``              TFRecord framing: payloads in order, every checksum tested; and a writer
``protobuf``              the message ``ModelMetrics`` of NAS-Bench-101, as bytes and back, one at a time
``nasbench101_payload``   one record of NAS-Bench-101: a JSON list of hash, epochs, drawing and message
``nasbench101_records``   all records of such a file as arrays, a block at a time
``pickles``               pickles, ``.pbz2`` and torch's ``.pth`` that hold plain data; anything else is refused by name
``nasbench201_official``  NAS-Bench-201's ``.pth`` and NATS-Bench's topology files -> columns
``transnas_official``     TransNAS-Bench-101's ``.pth`` -> columns
========================  ==============================================================================================

Nothing is imported here: each module is loaded by the benchmark that needs it. What is wrong with a file is a ``UserError``
that names the file and, where there is one, the byte at which it stands.
"""
