"""The fields of the custom resources that we use, as their projects document them.

Written by hand, and compared with (of some of it only excerpts could be read):

- the Prometheus operator's API reference (ServiceMonitor and PrometheusRule of version v1);
- KEDA's pages "ScaledObject specification" and "Apache Kafka" (the scaler) of 2.17 and 2.22, its
  types (apis/keda/v1alpha1/scaledobject_types.go) and its scaler (pkg/scalers/kafka_scaler.go); by
  its definition a trigger's metadata are texts only;
- Strimzi's reference of kafka.strimzi.io/v1 (0.49), and its own example of one node,
  packaging/examples/kafka/kafka-single-node.yaml.

A field that is not here is one that we do not use: look it up there before adding it.
"""

from __future__ import annotations

from typing import Any, Final

# What stands for the values: any scalar, any mapping of names to scalars, or the fields below it. A
# list holds what its elements are made of.
SCALAR: Final = "a scalar"
NAMES: Final = "names with scalars"

Shape = Any

_SELECTOR: Final = {"matchLabels": NAMES}
_QUANTITIES: Final = {"requests": NAMES, "limits": NAMES}

SHAPES: Final[dict[tuple[str, str], Shape]] = {
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {
        "jobLabel": SCALAR,
        "selector": _SELECTOR,
        "sampleLimit": SCALAR,
        "endpoints": [
            {"port": SCALAR, "path": SCALAR, "interval": SCALAR, "scrapeTimeout": SCALAR}
        ],
    },
    ("monitoring.coreos.com/v1", "PrometheusRule"): {
        "groups": [
            {
                "name": SCALAR,
                "interval": SCALAR,
                "rules": [
                    {
                        "record": SCALAR,
                        "alert": SCALAR,
                        "expr": SCALAR,
                        "for": SCALAR,
                        "labels": NAMES,
                        "annotations": NAMES,
                    }
                ],
            }
        ]
    },
    ("keda.sh/v1alpha1", "ScaledObject"): {
        "scaleTargetRef": {"name": SCALAR},
        "pollingInterval": SCALAR,
        "minReplicaCount": SCALAR,
        "maxReplicaCount": SCALAR,
        "fallback": {"failureThreshold": SCALAR, "replicas": SCALAR, "behavior": SCALAR},
        "advanced": {
            "horizontalPodAutoscalerConfig": {
                "behavior": {
                    "scaleDown": {
                        "stabilizationWindowSeconds": SCALAR,
                        "policies": [{"type": SCALAR, "value": SCALAR, "periodSeconds": SCALAR}],
                    }
                }
            }
        },
        "triggers": [
            {
                "type": SCALAR,
                "metadata": {
                    "bootstrapServers": SCALAR,
                    "consumerGroup": SCALAR,
                    "topic": SCALAR,
                    "lagThreshold": SCALAR,
                    "offsetResetPolicy": SCALAR,
                    "allowIdleConsumers": SCALAR,
                    "sasl": SCALAR,
                    "tls": SCALAR,
                },
                "authenticationRef": {"name": SCALAR},
            }
        ],
    },
    ("keda.sh/v1alpha1", "TriggerAuthentication"): {
        "secretTargetRef": [{"parameter": SCALAR, "name": SCALAR, "key": SCALAR}]
    },
    ("kafka.strimzi.io/v1", "Kafka"): {
        "kafka": {
            "listeners": [{"name": SCALAR, "port": SCALAR, "type": SCALAR, "tls": SCALAR}],
            "config": NAMES,
        }
    },
    ("kafka.strimzi.io/v1", "KafkaNodePool"): {
        "replicas": SCALAR,
        "roles": [SCALAR],
        "storage": {
            "type": SCALAR,
            "volumes": [
                {
                    "id": SCALAR,
                    "type": SCALAR,
                    "size": SCALAR,
                    "deleteClaim": SCALAR,
                    "kraftMetadata": SCALAR,
                }
            ],
        },
        "resources": _QUANTITIES,
    },
}

# Fields without which the resource is refused.
REQUIRED: Final[dict[str, set[str]]] = {
    "ServiceMonitor": {"selector", "endpoints"},
    "PrometheusRule": {"groups"},
    "ScaledObject": {"scaleTargetRef", "triggers"},
    "TriggerAuthentication": {"secretTargetRef"},
    "Kafka": {"kafka"},
    "KafkaNodePool": {"replicas", "roles", "storage"},
}


def faults(value: Any, shape: Shape, place: str = "spec") -> list[str]:
    """Where a value departs from its shape."""
    if shape == SCALAR:
        return [] if isinstance(value, str | int | float) else [f"{place} is no scalar"]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{place} is no list"]
        each = (faults(item, shape[0], f"{place}[{n}]") for n, item in enumerate(value))
        return [fault for found in each for fault in found]
    if not isinstance(value, dict):
        return [f"{place} is no mapping"]
    found = []
    for name, item in value.items():
        if shape != NAMES and name not in shape:
            found.append(f"{place}.{name} is not known")
        else:
            found += faults(item, SCALAR if shape == NAMES else shape[name], f"{place}.{name}")
    return found
