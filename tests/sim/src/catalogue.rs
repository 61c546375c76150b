//! What can be bought: service types, resource types, and the product families orders are made of.

/// A service type: code, Chinese name, English name, abbreviation ("" is null).
pub type Service = (&'static str, &'static str, &'static str, &'static str);

/// A resource type: code, Chinese name, English name, code of its service.
pub type Resource = (&'static str, &'static str, &'static str, &'static str);

/// The service types; those from `PUBLISHED_SERVICES` on occur in orders but not in the catalogue,
/// as the vendor's own did for a while.
pub const SERVICES: [Service; 42] = [
    ("hws.service.type.ec2", "弹性云服务器", "Elastic Cloud Server", "ECS"),
    ("hws.service.type.ebs", "云硬盘", "Elastic Volume Service", "EVS"),
    ("hws.service.type.obs", "对象存储服务", "Object Storage Service", "OBS"),
    ("hws.service.type.vpc", "虚拟私有云", "Virtual Private Cloud", ""),
    ("hws.service.type.eip", "弹性公网IP", "Elastic IP", "EIP"),
    ("hws.service.type.elb", "弹性负载均衡", "Elastic Load Balance", "ELB"),
    ("hws.service.type.rds", "云数据库RDS", "Relational Database Service", "RDS"),
    ("hws.service.type.dds", "文档数据库服务", "Document Database Service", "DDS"),
    ("hws.service.type.dcs", "分布式缓存服务", "Distributed Cache Service", "DCS"),
    ("hws.service.type.dms", "分布式消息服务", "Distributed Message Service", "DMS"),
    ("hws.service.type.cce", "云容器引擎", "Cloud Container Engine", "CCE"),
    ("hws.service.type.bms", "裸金属服务器", "Bare Metal Server", "BMS"),
    ("hws.service.type.ims", "镜像服务", "Image Management Service", "IMS"),
    ("hws.service.type.as", "弹性伸缩", "Auto Scaling", ""),
    ("hws.service.type.cbr", "云备份", "Cloud Backup and Recovery", "CBR"),
    ("hws.service.type.sfs", "弹性文件服务", "Scalable File Service", "SFS"),
    ("hws.service.type.nat", "NAT网关", "NAT Gateway", "NAT"),
    ("hws.service.type.vpn", "虚拟专用网络", "Virtual Private Network", "VPN"),
    ("hws.service.type.dc", "云专线", "Direct Connect", "DC"),
    ("hws.service.type.cdn", "内容分发网络", "Content Delivery Network", "CDN"),
    ("hws.service.type.dns", "云解析服务", "Domain Name Service", ""),
    ("hws.service.type.waf", "Web应用防火墙", "Web Application Firewall", "WAF"),
    ("hws.service.type.hss", "企业主机安全", "Host Security Service", "HSS"),
    ("hws.service.type.aad", "DDoS高防", "Advanced Anti-DDoS", "AAD"),
    ("hws.service.type.cfw", "云防火墙", "Cloud Firewall", "CFW"),
    ("hws.service.type.dbss", "数据库安全服务", "Database Security Service", "DBSS"),
    ("hws.service.type.kms", "数据加密服务", "Data Encryption Workshop", "DEW"),
    ("hws.service.type.scm", "云证书管理服务", "Cloud Certificate Manager", "CCM"),
    ("hws.service.type.gaussdb", "云数据库GaussDB", "GaussDB", ""),
    ("hws.service.type.taurus", "云数据库TaurusDB", "TaurusDB", ""),
    ("hws.service.type.dws", "数据仓库服务", "Data Warehouse Service", "DWS"),
    ("hws.service.type.mrs", "MapReduce服务", "MapReduce Service", "MRS"),
    ("hws.service.type.dli", "数据湖探索", "Data Lake Insight", "DLI"),
    ("hws.service.type.css", "云搜索服务", "Cloud Search Service", "CSS"),
    ("hws.service.type.modelarts", "AI开发平台ModelArts", "ModelArts", ""),
    ("hws.service.type.apig", "API网关", "API Gateway", "APIG"),
    ("hws.service.type.smn", "消息通知服务", "Simple Message Notification", "SMN"),
    ("hws.service.type.ces", "云监控服务", "Cloud Eye", "CES"),
    ("hws.service.type.support", "支持计划", "Support Plan", ""),
    ("hws.service.type.offline", "线下交付产品", "Offline Products", ""),
    ("hws.service.type.market.erp", "企业资源计划（云商店）", "ERP (KooGallery)", ""),
    ("hws.service.type.koophone", "云手机（公测）", "KooPhone (beta)", ""),
];
pub const PUBLISHED_SERVICES: usize = 40;

/// The resource types, all of them published.
pub const RESOURCES: [Resource; 62] = [
    ("hws.resource.type.vm", "云主机", "Cloud server", "hws.service.type.ec2"),
    ("hws.resource.type.volume", "云硬盘", "EVS disk", "hws.service.type.ebs"),
    ("hws.resource.type.obs", "对象存储", "Object storage", "hws.service.type.obs"),
    ("hws.resource.type.obs.package", "存储资源包", "Storage package", "hws.service.type.obs"),
    ("hws.resource.type.ip", "弹性公网IP", "Elastic IP", "hws.service.type.eip"),
    ("hws.resource.type.bandwidth", "带宽", "Bandwidth", "hws.service.type.eip"),
    ("hws.resource.type.sharedbandwidth", "共享带宽", "Shared bandwidth", "hws.service.type.vpc"),
    ("hws.resource.type.traffic", "共享流量包", "Shared traffic", "hws.service.type.vpc"),
    ("hws.resource.type.elb", "负载均衡器", "Load balancer", "hws.service.type.elb"),
    ("hws.resource.type.elb.l7", "应用型规格", "Application spec", "hws.service.type.elb"),
    ("hws.resource.type.rds.vm", "数据库实例", "DB instance", "hws.service.type.rds"),
    ("hws.resource.type.rds.volume", "数据库存储", "DB storage", "hws.service.type.rds"),
    ("hws.resource.type.rds.backup", "备份空间", "Backup space", "hws.service.type.rds"),
    ("hws.resource.type.dds.vm", "文档数据库实例", "DDS instance", "hws.service.type.dds"),
    ("hws.resource.type.dds.volume", "文档数据库存储", "DDS storage", "hws.service.type.dds"),
    ("hws.resource.type.dcs", "缓存实例", "Cache instance", "hws.service.type.dcs"),
    ("hws.resource.type.dms.kafka", "Kafka实例", "Kafka instance", "hws.service.type.dms"),
    ("hws.resource.type.dms.volume", "Kafka存储", "Kafka storage", "hws.service.type.dms"),
    ("hws.resource.type.dms.rocketmq", "RocketMQ实例", "RocketMQ", "hws.service.type.dms"),
    ("hws.resource.type.cce.cluster", "容器集群", "Cluster", "hws.service.type.cce"),
    ("hws.resource.type.bms", "裸金属服务器", "Bare metal server", "hws.service.type.bms"),
    ("hws.resource.type.bms.volume", "裸金属数据盘", "BMS disk", "hws.service.type.bms"),
    ("hws.resource.type.ims", "私有镜像", "Private image", "hws.service.type.ims"),
    ("hws.resource.type.cbr.vault", "云备份存储库", "Vault", "hws.service.type.cbr"),
    ("hws.resource.type.sfs", "文件系统", "File system", "hws.service.type.sfs"),
    ("hws.resource.type.sfs.turbo", "高性能文件系统", "SFS Turbo", "hws.service.type.sfs"),
    ("hws.resource.type.nat", "公网NAT网关", "Public NAT gateway", "hws.service.type.nat"),
    ("hws.resource.type.vpn", "VPN网关", "VPN gateway", "hws.service.type.vpn"),
    ("hws.resource.type.dc", "物理连接", "Connection", "hws.service.type.dc"),
    ("hws.resource.type.dc.port", "专线端口", "Port", "hws.service.type.dc"),
    ("hws.resource.type.cdn", "流量包", "Traffic package", "hws.service.type.cdn"),
    ("hws.resource.type.dns.zone", "公网域名解析", "Public zone", "hws.service.type.dns"),
    ("hws.resource.type.waf", "云模式防护", "WAF cloud mode", "hws.service.type.waf"),
    ("hws.resource.type.waf.domain", "域名扩展包", "Domain package", "hws.service.type.waf"),
    ("hws.resource.type.waf.bandwidth", "带宽扩展包", "WAF bandwidth", "hws.service.type.waf"),
    ("hws.resource.type.hss", "主机安全防护配额", "HSS quota", "hws.service.type.hss"),
    ("hws.resource.type.aad", "高防实例", "Anti-DDoS instance", "hws.service.type.aad"),
    ("hws.resource.type.cfw", "防火墙实例", "Firewall", "hws.service.type.cfw"),
    ("hws.resource.type.dbss", "数据库审计", "Database audit", "hws.service.type.dbss"),
    ("hws.resource.type.kms.hsm", "专属加密实例", "Dedicated HSM", "hws.service.type.kms"),
    ("hws.resource.type.scm.cert", "SSL证书", "SSL certificate", "hws.service.type.scm"),
    ("hws.resource.type.gaussdb.vm", "GaussDB节点", "GaussDB node", "hws.service.type.gaussdb"),
    ("hws.resource.type.gaussdb.vol", "GaussDB存储", "GaussDB disk", "hws.service.type.gaussdb"),
    ("hws.resource.type.taurus.vm", "TaurusDB节点", "TaurusDB node", "hws.service.type.taurus"),
    ("hws.resource.type.taurus.proxy", "数据库代理", "DB proxy", "hws.service.type.taurus"),
    ("hws.resource.type.dws.node", "数仓节点", "DWS node", "hws.service.type.dws"),
    ("hws.resource.type.mrs.node", "大数据节点", "MRS node", "hws.service.type.mrs"),
    ("hws.resource.type.dli.cu", "计算单元", "Compute unit", "hws.service.type.dli"),
    ("hws.resource.type.css.node", "搜索节点", "Search node", "hws.service.type.css"),
    ("hws.resource.type.modelarts", "训练资源包", "Training pool", "hws.service.type.modelarts"),
    ("hws.resource.type.apig", "专享网关", "Dedicated gateway", "hws.service.type.apig"),
    ("hws.resource.type.smn.sms", "短信包", "SMS package", "hws.service.type.smn"),
    ("hws.resource.type.ces.probe", "拨测套餐", "Probe package", "hws.service.type.ces"),
    ("hws.resource.type.support.std", "标准支持计划", "Standard", "hws.service.type.support"),
    ("hws.resource.type.support.ent", "企业支持计划", "Enterprise", "hws.service.type.support"),
    ("hws.resource.type.general", "通用规格", "General", "hws.service.type.offline"),
    ("hws.resource.type.appliance", "一体机", "Appliance", "hws.service.type.offline"),
    ("hws.resource.type.license", "软件许可", "Licence", "hws.service.type.offline"),
    ("hws.resource.type.as.policy", "伸缩策略", "Scaling policy", "hws.service.type.as"),
    ("hws.resource.type.vpc.peering", "对等连接", "Peering", "hws.service.type.vpc"),
    ("hws.resource.type.market.erp", "进销存系统", "ERP", "hws.service.type.market.erp"),
    ("hws.resource.type.koophone", "云手机实例", "Phone", "hws.service.type.koophone"),
];

/// What is bought together: a main resource and what hangs on it, with list prices of a month in cents.
pub struct Family {
    pub main: &'static str,
    pub cents: i64,
    pub specs: &'static [(&'static str, &'static str)],
    pub attached: &'static [(&'static str, i64)],
}

/// The families; the first three are bought most.
pub const FAMILIES: [Family; 16] = [
    Family {
        main: "hws.resource.type.vm",
        cents: 24_860,
        specs: &[
            ("c7.large.2.linux", "通用计算增强型|c7.large.2|2vCPUs|4GB"),
            ("s6.xlarge.2.win", "通用计算型|s6.xlarge.2|4vCPUs|8GB"),
            ("m7.2xlarge.8.linux", "内存优化型|m7.2xlarge.8|8vCPUs|64GB"),
        ],
        attached: &[
            ("hws.resource.type.volume", 2_800),
            ("hws.resource.type.volume", 14_000),
            ("hws.resource.type.ip", 1_440),
            ("hws.resource.type.bandwidth", 12_500),
        ],
    },
    Family {
        main: "hws.resource.type.rds.vm",
        cents: 65_000,
        specs: &[
            ("rds.mysql.n1.large.2.ha", "MySQL|主备|2vCPUs|4GB"),
            ("rds.pg.x1.xlarge.4", "PostgreSQL|单机|4vCPUs|16GB"),
        ],
        attached: &[("hws.resource.type.rds.volume", 8_000)],
    },
    Family {
        main: "hws.resource.type.volume",
        cents: 7_000,
        specs: &[("SSD", "超高IO|100GB"), ("GPSSD", "通用型SSD|500GB"), ("SAS", "高IO|1000GB")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.obs.package",
        cents: 900,
        specs: &[("OBS.std.100", "标准存储多AZ包|100GB")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.ip",
        cents: 1_440,
        specs: &[("5_bgp", "全动态BGP"), ("5_sbgp", "静态BGP")],
        attached: &[("hws.resource.type.bandwidth", 12_500)],
    },
    Family {
        main: "hws.resource.type.elb",
        cents: 18_000,
        specs: &[("L4_flavor.elb.s1.small", "网络型|小型I")],
        attached: &[("hws.resource.type.elb.l7", 26_000)],
    },
    Family {
        main: "hws.resource.type.dcs",
        cents: 9_900,
        specs: &[("redis.ha.xu1.tiny.r2.512", "Redis 6.0|主备|512MB")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.dms.kafka",
        cents: 210_000,
        specs: &[("c6.2u4g.cluster", "Kafka|3代理|2vCPUs|4GB")],
        attached: &[("hws.resource.type.dms.volume", 21_000)],
    },
    Family {
        main: "hws.resource.type.cce.cluster",
        cents: 52_000,
        specs: &[("cce.s2.small", "高可用|50节点")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.cbr.vault",
        cents: 2_000,
        specs: &[("vault.backup.server.normal", "云服务器备份|100GB")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.waf",
        cents: 388_000,
        specs: &[("waf.professional", "专业版")],
        attached: &[("hws.resource.type.waf.domain", 60_000), ("hws.resource.type.waf.bandwidth", 100_000)],
    },
    Family {
        main: "hws.resource.type.hss",
        cents: 9_000,
        specs: &[("hss.version.enterprise", "企业版")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.gaussdb.vm",
        cents: 310_000,
        specs: &[("gaussdb.opengauss.ee.km1.xlarge.x868.8", "分布式|4vCPUs|32GB")],
        attached: &[("hws.resource.type.gaussdb.vol", 16_000)],
    },
    Family {
        main: "hws.resource.type.support.std",
        cents: 40_000,
        specs: &[("support.standard", "")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.market.erp",
        cents: 29_900,
        specs: &[("erp.basic", "基础版|10用户")],
        attached: &[],
    },
    Family {
        main: "hws.resource.type.koophone",
        cents: 6_800,
        specs: &[("koophone.1", "入门型|\"公测\"")],
        attached: &[],
    },
];

pub const REGIONS: [&str; 6] =
    ["cn-north-4", "cn-east-3", "cn-south-1", "cn-southwest-2", "cn-north-1", "ap-southeast-1"];

/// Names of enterprise projects; the first is the default project, whose id is `0`.
pub const PROJECTS: [&str; 6] =
    ["default", "数据平台（华东）", "官网与营销", "测试环境", "财务系统", "R&D \"云原生\""];

/// Position of a resource type in `RESOURCES`.
pub fn resource(code: &str) -> u16 {
    position(RESOURCES.iter().position(|row| row.0 == code))
}

/// Position in `SERVICES` of the service a resource type belongs to.
pub fn service_of(resource: u16) -> u16 {
    let code = RESOURCES[usize::from(resource)].3;
    position(SERVICES.iter().position(|row| row.0 == code))
}

fn position(found: Option<usize>) -> u16 {
    let at = found.expect("the tables above name each other's codes");
    u16::try_from(at).expect("the tables above are short")
}
